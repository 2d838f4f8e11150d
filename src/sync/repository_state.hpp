// SPDX-License-Identifier: Apache-2.0
// What a repository's metadata say now: loaded before anything is looked at, and pinned by its ETag.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/metadata_kind.hpp"
#include "model/object.hpp"
#include "repodata/repo_index.hpp"
#include "repodata/splice.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct RepositoryState {
  Repomd repomd;                // empty when there is no repository yet
  std::optional<ETag> pointer;  // of repomd.xml; none when there is no repository yet
  SystemTime pointer_modified{};
  std::string pointer_sha256;
  PerKind<SharedBytes> stored;  // the metadata files that have been opened; else null
  // Proven when a base to build on is at hand; unproven when only primary's segment table is; else none.
  std::optional<RepoIndex> index;
  // The store has said that repomd.xml is still the one that was remembered: the index is as old as that, and holds.
  bool is_as_remembered = false;

  std::size_t counted = 0;  // packages, when primary was read without an index

  bool proven() const { return index && index->proven; }
  std::size_t packages() const { return index ? index->packages() : counted; }
};

// What this process remembers of the repository, before anybody has asked the store whether it still is so.
std::optional<RepositoryState> remembered_state(const Repository& repository);

struct Loading {
  std::optional<RepositoryState> remembered;
  bool is_poll = true;     // pointer_modified is wanted, which a repomd.xml that has not changed does not tell
  bool will_edit = false;  // the three files will be wanted: those of up to 64 MiB are fetched at once
};

// repomd.xml, and what is known of the files that it names: the index that was remembered, or primary's segment
// table, when it has one. Without a repository the index is that of an empty one. Few requests.
// corrupt: a file that repomd.xml names is missing or not what it says; nothing may be built on it.
Result<RepositoryState> load_state(const Repository& repository, Loading loading);
Result<RepositoryState> load_state(const Repository& repository);

// repomd.xml alone, with the index of an empty repository. For a rebuild, whose publication must still be conditional
// on the pointer. A repomd.xml that cannot be read counts as one without records.
Result<RepositoryState> load_pointer_only(const Repository& repository);

// File names to look for. That one of `expected` is not listed is said only on proof; `possible` ones are looked for
// as well where that costs nothing more.
struct NamesToFind {
  std::set<std::string> expected;
  std::set<std::string> possible;
};

// The listed packages with one of these file names. What is found without proof is true.
Result<std::vector<ListedPackage>> find_listed(const Repository& repository, RepositoryState& state,
                                               const NamesToFind& names);

// All of them, read from primary's stored bytes.
Result<std::vector<ListedPackage>> list_all(const Repository& repository, RepositoryState& state);

// Reads the three files, and has state.index proven: what a splice can be built on. precondition_failed when a file is
// gone because somebody else published meanwhile.
Result<void> prove_state(const Repository& repository, RepositoryState& state);

// For the next update of this process: what was published.
void remember(const Repository& repository, const Publication& publication, ETag pointer, RepoIndex index);

// What is said of a repomd.xml that cannot be parsed, with what to do.
Error damaged_pointer(const Repository& repository, Error error);

// "There is no repository", with what to do.
Error no_repository(const Repository& repository);

}  // namespace repoupdate
