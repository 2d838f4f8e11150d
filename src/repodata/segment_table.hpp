// SPDX-License-Identifier: Apache-2.0
// How a metadata file that we wrote is cut, so that an edit compresses anew only what it touches:
//
//     frame 0          the prolog alone: the `packages=` count changes with most edits
//     frame 1 ... n-2  packages, each frame beginning with one
//     frame n-1        the trailer
//
// A frame can be decompressed by itself. In gzip it is a run of deflate blocks that refers to nothing before it and
// ends on a byte boundary, and is cut further into segments: each begins with a package, ends on a byte boundary, and
// refers to at most the 32 KiB of the same frame before it. In zstd it is a zstd frame.
//
// The table travels in the file (segment_container.hpp). Without it a file is as good, only slower to edit; it is
// never believed without proof (repo_index.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

struct Segment {
  std::uint32_t stored_size = 0;
  std::uint32_t open_size = 0;
  std::uint32_t packages = 0;  // that begin in it

  bool operator==(const Segment&) const = default;
};

inline constexpr std::size_t k_max_name_bound = 24;  // bytes

// Between which lie the file names (basenames of location_href) of a frame's packages, as bytes. Cut to
// k_max_name_bound bytes each: `least` may be too small thereby, and `greatest` stands for all that begin with it.
struct NameRange {
  std::string least;
  std::string greatest;  // both empty: not known, any name may be there

  bool operator==(const NameRange&) const = default;
  bool may_hold(std::string_view name) const;

  // To a range that starts out empty. A nameless package makes it one that may hold any name, for good.
  void add(std::string_view name);
};

struct Frame {
  std::uint64_t stored_size = 0;  // this and open_size: at most k_max_frame_size
  std::uint64_t open_size = 0;
  std::uint32_t crc32 = 0;  // of the open bytes, as gzip computes it
  std::uint32_t packages = 0;
  NameRange names;                // of primary only
  std::vector<Segment> segments;  // of gzip only; empty: to be compressed anew as a whole

  bool operator==(const Frame&) const = default;
};

struct SegmentTable {
  std::vector<Frame> frames;  // at least two: prolog and trailer

  bool operator==(const SegmentTable&) const = default;
  std::uint64_t stored_size() const;  // of the frames
  std::uint64_t open_size() const;
  std::size_t packages() const;
  std::uint32_t crc32() const;  // of all open bytes, combined
};

// In bytes: numbers are LEB128 (seven bits a byte, the lowest first, as few bytes as possible), CRCs four bytes, least
// significant first.
//
//     version               one byte, 1
//     number of frames
//     each frame            stored size, open size, packages, CRC-32,
//                           one byte: what follows, 1 names + 2 segments
//       names               size of `least`, `least`, size of `greatest`, `greatest`
//       segments            how many; of each stored size, open size, packages
//     CRC-32 of all before
//
// At most `limit` bytes: where it would not fit, first the segments and then the name ranges are left out, and an
// empty string is returned when that is not enough.
std::string encode_segment_table(const SegmentTable& table, std::size_t limit);

// corrupt: not what encode_segment_table wrote; a size of nothing, or beyond k_max_frame_size, or
// k_max_open_metadata_size in all; segments that do not add up to their frame; packages in the prolog or the trailer;
// a frame or segment between them without any.
Result<SegmentTable> decode_segment_table(std::string_view bytes);

}  // namespace repoupdate
