// SPDX-License-Identifier: Apache-2.0
#include "repository_files.hpp"

#include <string>
#include <utility>

#include "io/directory_store.hpp"

namespace repoupdate::bench {

Result<RepositoryFiles> open_repository_files(const std::filesystem::path& directory) {
  DirectoryStore store(directory);
  const auto pointer = store.get(k_repomd_key, {}, k_max_repomd_size);
  if (!pointer) return pointer.error();
  auto repomd = parse_repomd(pointer->bytes);
  if (!repomd) return std::move(repomd).error();
  RepositoryFiles files{*std::move(repomd), {}};
  for (const MetadataKindInfo& kind : k_metadata_kinds) {
    auto opened = store.open(files.repomd.find(kind.kind)->location_href);
    if (!opened) return std::move(opened).error();
    files.stored[kind.kind] = *std::move(opened);
  }
  return files;
}

}  // namespace repoupdate::bench
