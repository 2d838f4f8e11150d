// SPDX-License-Identifier: Apache-2.0
// Which files below repodata/ may go, and why the others stay (semantics 26, invariant I10). Pure; the reasoning is in
// docs/decisions/0023-sweep.md.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/object.hpp"
#include "repodata/repomd.hpp"
#include "sync/sweep_notes.hpp"
#include "sync/sweep_policy.hpp"

namespace repoupdate {

// The files that a repomd.xml names, and whatever else is mentioned in it: what is not understood there may need it.
class NamedFiles {
public:
  NamedFiles() = default;
  NamedFiles(const Repomd& repomd, std::string text);
  bool contain(std::string_view key) const;  // by its last part

private:
  std::set<std::string, std::less<>> m_names;
  std::string m_text;
};

// Whether it may ever go, once nobody names it any more: what it is called tells, or an old repomd.xml.
bool may_go(std::string_view key, const SweepNotes& notes);

enum class SweepVerdict {
  named,       // repomd.xml names it, or is it
  own,         // this program needs it: lease, notes
  unknown,     // neither this program nor a repomd.xml that it knows of has named it
  grace,       // superseded, or never named, for too short a time
  generation,  // among the newest superseded ones
  goes,
};
std::string_view to_string(SweepVerdict verdict);

struct SweepFile {
  std::string key;  // below the repository's root
  std::uint64_t size = 0;
  SystemTime modified{};
  SweepVerdict verdict = SweepVerdict::unknown;
  SystemTime since{};  // that nobody names it; of `grace`, `generation` and `goes`
};

struct SweepInput {
  std::vector<ObjectInfo> objects;  // below repodata/; keys below the repository's root
  NamedFiles named;                 // by the repomd.xml that was read after the objects were listed
  SystemTime pointer_modified{};
  bool times_are_of_files = false;  // pointer_modified may be older than its being there
  SystemTime now{};                 // by the store's clock, when repomd.xml was read
  SweepNotes notes;
};

struct SweepPlan {
  std::vector<SweepFile> files;    // as listed
  SweepNotes notes;                // for the next sweep, as if nothing were deleted
  std::optional<SystemTime> next;  // when the first of those with `grace` may go; none: not without a publication
};

SweepPlan plan_sweep(const SweepInput& input, const SweepPolicy& policy);

// How old a file must be, and how long unnamed.
Duration least_age(const SweepPolicy& policy);

}  // namespace repoupdate
