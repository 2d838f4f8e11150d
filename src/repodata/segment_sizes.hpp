// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "repodata/compression.hpp"

namespace repoupdate {

inline constexpr std::size_t k_uncut = std::numeric_limits<std::size_t>::max();

// How large frames and segments (segment_table.hpp) are made, in open bytes.
struct SegmentSizes {
  std::size_t frame = 0;          // kept between a quarter and twice of it, but for single packages that are larger
  std::size_t segment = k_uncut;  // kept between a half and twice of it; k_uncut: one a frame, as in zstd
};

// Frames of 2 MiB: in gz a restart costs 0.4 % of the size, in zstd 1.5 %. In gz they are cut into segments of 64 KiB,
// which cost 0.4 % again. In smaller files less, so that a small repository is edited quickly. `open_size` is that of the whole file:
// where it is very large, segments grow so that the table stays within the limit of its container.
SegmentSizes segment_sizes(Compression compression, std::uint64_t open_size);

}  // namespace repoupdate
