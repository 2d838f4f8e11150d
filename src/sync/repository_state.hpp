// SPDX-License-Identifier: Apache-2.0
// What a repository's metadata say now: loaded before anything is looked at, and pinned by its ETag.
#pragma once

#include <optional>
#include <string>

#include "model/metadata_kind.hpp"
#include "model/object.hpp"
#include "repodata/repo_index.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct RepositoryState {
  RepoIndex index;              // empty when there is no repository yet
  std::optional<ETag> pointer;  // of repomd.xml; none when there is no repository yet
  SystemTime pointer_modified{};
  PerKind<std::string> stored;  // the stored bytes of the three files; see load_files
};

// repomd.xml and primary, verified. Nothing (an empty state without `pointer`) when there is no repomd.xml.
// corrupt: a file that repomd.xml names is missing or not what it says; nothing may be built on it.
Result<RepositoryState> load_state(const Repository& repository);

// The same without looking at any file but repomd.xml: no entries. For a rebuild, whose publication must
// still be conditional on the pointer. A repomd.xml that cannot be read counts as one without records.
Result<RepositoryState> load_pointer_only(const Repository& repository);

// Fetches filelists and other into state.stored (primary is there already). precondition_failed when a file
// is gone because somebody else published meanwhile.
Result<void> load_files(const Repository& repository, RepositoryState& state);

// "There is no repository", with what to do.
Error no_repository(const Repository& repository);

}  // namespace repoupdate
