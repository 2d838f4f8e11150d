// SPDX-License-Identifier: Apache-2.0
// What a repository lists and where it stands: repomd.xml and the frames of the three files. Packages are read from
// primary's frames when they are asked for, so that this does not grow with their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/nevra.hpp"
#include "repodata/index_entry.hpp"
#include "repodata/repomd.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

// Largest stored (compressed) metadata file that is read. The largest known is 120 MB.
inline constexpr std::uint64_t k_max_stored_metadata_size = 4ULL << 30;

// hash_of() each package, by position. Four bytes for each are all that an index needs for them.
using NevraHashes = std::vector<std::uint32_t>;

// The positions in the three files are the same ones once the index is proven (index_proof.hpp); until then a segment
// table may have lied about any of it, and only what find_packages() does find is true.
struct RepoIndex {
  Repomd repomd;
  PerKind<SegmentedFile> files;
  std::shared_ptr<const NevraHashes> nevras = std::make_shared<NevraHashes>();  // complete once proven; never null
  bool proven = false;

  std::size_t packages() const { return files[MetadataKind::primary].table.packages(); }
};

std::uint32_t hash_of(const Nevra& nevra);

// The packages whose file name (basename of location_href) is one of `names`, ascending by position. Reads the
// frames that may hold them. corrupt or unsupported when primary cannot be read; the message names the file.
Result<std::vector<ListedPackage>> find_packages(const RepoIndex& index, const std::set<std::string>& names,
                                                 std::size_t threads);

// The packages that have one of `nevras`. The index must be proven.
Result<std::vector<ListedPackage>> find_packages(const RepoIndex& index, const std::set<Nevra>& nevras,
                                                 std::size_t threads);

// All of them. Memory grows with their number.
Result<std::vector<ListedPackage>> list_packages(const RepoIndex& index, std::size_t threads);

}  // namespace repoupdate
