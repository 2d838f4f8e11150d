// SPDX-License-Identifier: Apache-2.0
// The metadata of a repository in a directory, as the steps look at it.
#pragma once

#include <filesystem>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate::bench {

struct RepositoryFiles {
  Repomd repomd;
  PerKind<SharedBytes> stored;
};

// corrupt: repomd.xml cannot be read, or a file that it names is missing.
Result<RepositoryFiles> open_repository_files(const std::filesystem::path& directory);

}  // namespace repoupdate::bench
