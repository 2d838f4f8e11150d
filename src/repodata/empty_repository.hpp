// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "model/metadata_kind.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// An index with the metadata files that it belongs to: what splice() works on.
struct StoredRepository {
  RepoIndex index;
  PerKind<std::string> stored;
};

// A repository without packages, as a base for splice(). With a default Repomd that is the first publication of
// a new repository; with an existing one it is a rebuild, which supersedes the old metadata and keeps what else
// stands there: revision, tags, unknown records, checksum types, compression.
StoredRepository empty_repository(Repomd repomd = {});

}  // namespace repoupdate
