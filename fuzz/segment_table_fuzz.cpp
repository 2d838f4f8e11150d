// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a segment table, as a file that may hold one, and as the frames that a table speaks of. The
// input is a compression (the lowest bit of its first byte), and a table without its checksum, or a whole file.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "claim.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/little_endian.hpp"
#include "repodata/segment_container.hpp"
#include "repodata/segment_table.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_no_limit = std::string::npos;
constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";
constexpr std::uint64_t k_max_file_size = 64U << 10;  // of the files that are made for a table
constexpr std::uint64_t k_max_tried_size = 1U << 20;  // of frames that are decompressed

std::string with_checksum(std::string_view body) {
  std::string bytes(body);
  append_little_endian(bytes, crc32_of(body), 4);
  return bytes;
}

void check_sums(const SegmentTable& table) {
  for (const Frame& frame : table.frames) {
    Segment sum;
    for (const Segment& segment : frame.segments) {
      sum.stored_size += segment.stored_size;
      sum.open_size += segment.open_size;
      sum.packages += segment.packages;
    }
    claim(frame.segments.empty() || (sum.stored_size == frame.stored_size && sum.open_size == frame.open_size &&
                                     sum.packages == frame.packages),
          "segments add up to their frame");
  }
}

void check_round_trip(std::string_view bytes, const SegmentTable& table) {
  claim(encode_segment_table(table, k_no_limit) == bytes, "a table has one encoding");
  for (const std::size_t limit : {bytes.size() - 1, bytes.size() / 2, std::size_t{0}}) {
    const std::string shorter = encode_segment_table(table, limit);
    claim(shorter.size() <= limit, "an encoding keeps to its limit");
    if (shorter.empty()) continue;
    const auto found = decode_segment_table(shorter);
    claim(found.ok() && found->crc32() == table.crc32() && found->packages() == table.packages() &&
              found->stored_size() == table.stored_size() && found->open_size() == table.open_size(),
          "a shorter encoding speaks of the same frames");
  }
}

// The frames of a file are whatever they are: a table says where to look, never what is there.
void check_frames(const FoundTable& found, std::string_view file) {
  FrameDecoder decoder(found.compression);
  std::size_t at = found.first_frame;
  for (const Frame& frame : found.table.frames) {
    claim(frame.stored_size <= file.size() - at, "frames lie in the file");
    std::string open;
    const bool is_tried = frame.open_size <= k_max_tried_size;
    if (is_tried && decoder.decode(file.substr(at, frame.stored_size), frame.open_size, open))
      claim(open.size() == frame.open_size, "a frame has the open size that it was decompressed for");
    at += frame.stored_size;
  }
}

std::optional<FoundTable> find_in(const std::string& file) {
  auto found = find_segment_table(MemoryBytes(file));
  claim(found.ok(), "bytes that can be read give a table or none");
  if (*found) check_frames(**found, file);
  return *std::move(found);
}

// zstd frames begin with their magic number and have no segments; and a table must have room in the header of gzip.
bool is_for(Compression compression, const SegmentTable& table) {
  if (compression == Compression::gz) return encode_segment_table(table, k_no_limit).size() <= k_max_gzip_table;
  return table.stored_size() >= k_zstd_magic.size() &&
         std::ranges::none_of(table.frames, [](const Frame& frame) { return !frame.segments.empty(); });
}

// A file with this table around frames of any bytes, which are taken from the table itself.
void check_file(Compression compression, const SegmentTable& table, std::string_view filler) {
  if (table.stored_size() > k_max_file_size) return;
  const Container container = make_container(compression, table);
  std::string file = container.head;
  if (compression == Compression::zstd) file += k_zstd_magic;
  while (file.size() < container.head.size() + table.stored_size()) file += filler;
  file.resize(container.head.size() + table.stored_size());
  file += container.tail;
  const auto found = find_in(file);
  if (found) claim(found->first_frame == container.head.size(), "frames begin behind the head");
  if (is_for(compression, table)) claim(found && found->table == table, "a file gives its table back");

  const std::size_t at = crc32_of(file) % file.size();
  file[at] ^= 1;
  const auto damaged = find_in(file);
  const bool is_in_frame = at >= container.head.size() && at < file.size() - container.tail.size();
  claim(!damaged || (is_in_frame && found && damaged->table == found->table),
        "a table around which something is wrong is none");
}

void check(std::string_view input) {
  if (input.empty()) return;
  const Compression compression = input[0] & 1 ? Compression::zstd : Compression::gz;
  input.remove_prefix(1);
  find_in(std::string(input));
  claim(!decode_segment_table(input) || with_checksum(input.substr(0, input.size() - 4)) == input,
        "a table with a wrong checksum is refused");
  const std::string bytes = with_checksum(input);
  const auto table = decode_segment_table(bytes);
  if (!table) return claim(table.error().kind == ErrorKind::corrupt, "what is no table is corrupt");
  check_sums(*table);
  check_round_trip(bytes, *table);
  check_file(compression, *table, input);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
