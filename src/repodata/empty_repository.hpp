// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "repodata/compression.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// A repository without packages, as a base for splice(); proven. With a default Repomd that is the first publication
// of a new repository; with an existing one it is a rebuild, which supersedes the old metadata and keeps what else
// stands there: revision, tags, unknown records, checksum types, and compression unless another one is given.
RepoIndex empty_repository(Repomd repomd = {}, std::optional<Compression> compression = {});

}  // namespace repoupdate
