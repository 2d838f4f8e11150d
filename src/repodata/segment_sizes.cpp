// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_sizes.hpp"

#include <algorithm>

#include "repodata/decoder.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_kib = 1024;
// The segment table of a gzip file has 65,535 bytes; 4,000 segments at first, each 7 bytes, leave room for edits.
constexpr std::uint64_t k_first_segments = 4000;
constexpr std::uint64_t k_first_frames = 1000;

}  // namespace

SegmentSizes segment_sizes(Compression compression, std::uint64_t open_size) {
  open_size = std::min(open_size, k_max_open_metadata_size);  // repomd.xml may state any number
  const std::uint64_t frame = std::clamp(open_size / 24, 256 * k_kib, 2048 * k_kib);
  SegmentSizes sizes;
  if (compression == Compression::zstd) {
    sizes.frame = static_cast<std::size_t>(frame);
    return sizes;
  }
  const std::uint64_t segment = std::clamp(open_size / 64, 32 * k_kib, 64 * k_kib);
  sizes.segment = static_cast<std::size_t>(std::max(segment, open_size / k_first_segments));
  sizes.frame = std::max(sizes.segment, static_cast<std::size_t>(std::max(frame, open_size / k_first_frames)));
  return sizes;
}

}  // namespace repoupdate
