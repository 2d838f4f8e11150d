// SPDX-License-Identifier: Apache-2.0
// Synthetic repositories of any size with the sizes, shape and compression of Fedora's: the metadata alone,
// there are no packages behind them. The same options give the same bytes from the same compiler (the order in
// which arguments are evaluated is its choice).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalogue.hpp"
#include "model/metadata_kind.hpp"
#include "model/package_record.hpp"
#include "repodata/compression.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate::bench {

struct GeneratorOptions {
  std::size_t packages = 0;
  std::uint64_t seed = 1;
};

// Holds a few hundred bytes for each package (what it is called); texts are made when asked for. The const
// members may be called from several threads at once.
class MetadataGenerator {
public:
  explicit MetadataGenerator(const GeneratorOptions& options);

  std::size_t size() const { return m_catalogue.packages.size(); }

  // Of package `index` in createrepo_c's order, ending in '\n'.
  void append_fragment(MetadataKind kind, std::size_t index, std::string& out) const;

  const std::string& href(std::size_t index) const { return m_catalogue.packages[index].href; }
  PackageRecord package(std::size_t index) const;

  // The same package built again: same href and texts, other pkgid, sizes, time of the file and build ids.
  PackageRecord rebuilt_package(std::size_t index, std::uint64_t seed) const;

  // Packages like these that are not among them, sorted; their places are all over the repository.
  std::vector<PackageRecord> new_packages(std::size_t count, std::uint64_t seed) const;

private:
  GeneratorOptions m_options;
  Catalogue m_catalogue;
};

// Writes directory/repodata as createrepo_c does: each file one compressed stream (gzip level 6, or zstd level 10),
// named by its checksum. One thread a file; memory does not grow with the size of the files. Returns what
// repomd.xml says.
Result<Repomd> generate_repository(const std::filesystem::path& directory, const GeneratorOptions& options,
                                   Compression compression);

}  // namespace repoupdate::bench
