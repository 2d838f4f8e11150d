// SPDX-License-Identifier: Apache-2.0
// What sweeps know from one to the next: a small object of ours, repodata/.repoupdate/sweep.txt. It may be lost or
// deleted at any time; then superseded files stay longer, and some of other tools for ever.
//
//   repoupdate sweep notes 1
//   since 1790000000 1789990000 repodata/0123...-primary.xml.gz
//   known repodata/primary.xml.gz
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

inline constexpr std::string_view k_sweep_notes_key = "repodata/.repoupdate/sweep.txt";

struct SweepNotes {
  struct Sight {
    SystemTime since;     // named by no repomd.xml from then on, as long as the file is the one
    SystemTime modified;  // with this Last-Modified
    bool operator==(const Sight&) const = default;
  };
  std::map<std::string, Sight, std::less<>> seen;  // keys are below the repository's root
  std::set<std::string, std::less<>> known;        // an old repomd.xml named them, which their names do not tell

  bool operator==(const SweepNotes&) const = default;
};

std::string to_text(const SweepNotes& notes);
// Empty when it is not ours.
SweepNotes parse_sweep_notes(std::string_view text);

struct StoredNotes {
  SweepNotes notes;
  std::optional<ETag> etag;  // none: there are none
};
Result<StoredNotes> load_sweep_notes(const Repository& repository);

// In place of what was loaded, and together with the keys that a publication has made known meanwhile.
Result<void> store_sweep_notes(const Repository& repository, const StoredNotes& loaded, SweepNotes notes);

// The name that this program gives metadata files: "repodata/HASH-primary.xml.gz". Nothing else is called so.
struct HashedName {
  std::string_view hash;  // hex
  std::string_view rest;  // "primary.xml.gz"
};
// Any file of createrepo_c's naming, too: "HASH-updateinfo.xml.gz".
std::optional<HashedName> parse_hashed_name(std::string_view key);
bool has_our_name(std::string_view key);

// Makes those of the superseded keys known that do not have our name: those of another tool, whose metadata are taken
// over. Without such keys it costs no request.
Result<void> note_superseded(const Repository& repository, const std::vector<std::string>& superseded);

}  // namespace repoupdate
