// SPDX-License-Identifier: Apache-2.0
// What stands around the frames of a segmented metadata file, and where its segment table is kept:
//
//     gzip (RFC 1952)  one member: header with the table as an extra field (SI1 SI2 = 'R' 'U'), frames, an empty
//                      final deflate block (03 00), CRC-32, size modulo 2^32
//     zstd (RFC 8878)  frames, then a skippable frame (magic number 0x184D2A5A) with the table, the table's size
//                      (4 bytes, least significant first) and "RUst". It stands at the very end, so that the first
//                      bytes are the usual magic number
//
// No reader of either format looks at the tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/compression.hpp"
#include "repodata/segment_table.hpp"

namespace repoupdate {

// A gzip header has 65,535 bytes for all extra fields, and each field begins with four of its own.
inline constexpr std::size_t k_max_gzip_table = 65'535 - 4;
inline constexpr std::size_t k_max_zstd_table = 1U << 20;

// The bytes before the first and behind the last frame. A table that is too large for its place is shortened, or
// left out: the file is readable all the same.
struct Container {
  std::string head;
  std::string tail;
};
Container make_container(Compression compression, const SegmentTable& table);

struct FoundTable {
  Compression compression = Compression::gz;
  SegmentTable table;
  std::uint64_t first_frame = 0;  // offset in the file
};

// Reads the table of a stored file, of whatever compression it is by its first bytes. Nothing when it has none, or
// one that is damaged or does not fit the file: sizes must add up to the file's, and for gzip the combined CRC and
// size to those in its last 8 bytes. What it says about a frame is proven by decompressing that frame only. An Error
// when the bytes cannot be read. Costs at most three reads, of at most 64 KiB each but for larger zstd tables.
Result<std::optional<FoundTable>> find_segment_table(const StoredBytes& stored);

}  // namespace repoupdate
