// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>

#include "base/result.hpp"
#include "model/scratch.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/compression.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

struct IndexReading {
  std::optional<Compression> compression;  // that the files shall have; none: as they are, gz for xz, bz2 and plain
  std::size_t threads = 1;
  std::optional<SegmentSizes> sizes;  // that they are cut and edited by; none: as is best for their open sizes
};

// The proven index of the repository whose metadata files are `stored`, as repomd names them. Files that carry a
// segment table are read as it says; when that is not true, and for all others, they are cut anew into scratch files.
//
// corrupt: bytes that are not what repomd says, that cannot be read, or that do not list the same packages (semantics
// 28); unsupported: XML that cannot be edited in place. Both name the file and the way out.
Result<RepoIndex> read_index(Repomd repomd, const PerKind<SharedBytes>& stored, const IndexReading& reading,
                             Scratch& scratch);

}  // namespace repoupdate
