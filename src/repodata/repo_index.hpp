// SPDX-License-Identifier: Apache-2.0
// What a repository lists, as primary.xml says: enough to plan an edit, without the rest of the metadata.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/nevra.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {

// Largest stored (compressed) metadata file that is taken into memory. The largest known is 120 MB.
inline constexpr std::uint64_t k_max_stored_metadata_size = 2ULL << 30;

struct IndexEntry {
  Nevra nevra;
  std::string pkgid;           // hex, as it stands in the metadata
  std::string location_href;   // unescaped
  std::string location_base;   // xml:base, unescaped; empty: the package lies below the repository root
  std::uint64_t size = 0;      // <size package>: bytes of the file
  std::int64_t time_file = 0;  // <time file>: Unix time

  bool operator==(const IndexEntry&) const = default;
};

struct RepoIndex {
  Repomd repomd;
  std::vector<IndexEntry> entries;  // in the order of primary.xml; the position is what an edit names
};

// Reads the stored (compressed) bytes of the file that repomd's primary record names, after comparing them with
// the size and checksum stated there (semantics 28). corrupt or unsupported: the message names the file.
Result<RepoIndex> read_index(Repomd repomd, std::string_view stored_primary);

}  // namespace repoupdate
