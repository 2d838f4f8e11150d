// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_container.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "repodata/little_endian.hpp"

namespace repoupdate {
namespace {

// RFC 1952, section 2.3: deflate, no flags, no time, no word about the effort, on an unknown system.
constexpr std::string_view k_gzip_header("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
constexpr std::size_t k_gzip_flags = 3;  // where they stand
constexpr char k_has_extra_field = 4;
constexpr std::string_view k_field_id = "RU";
constexpr std::size_t k_field_header = 4;  // id and size
constexpr std::size_t k_first_field = k_gzip_header.size() + 2;
constexpr std::string_view k_final_block("\x03\0", 2);
constexpr std::size_t k_gzip_tail = k_final_block.size() + 8;

constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";
constexpr std::string_view k_skippable_magic = "\x5a\x2a\x4d\x18";
constexpr std::size_t k_skippable_header = 8;  // magic and size
constexpr std::string_view k_table_mark = "RUst";
constexpr std::size_t k_table_footer = 4 + k_table_mark.size();

// Whatever the header of a gzip file holds, and most tables of zstd files.
constexpr std::uint64_t k_read_size = 64U << 10;

using Found = std::optional<FoundTable>;

std::string gzip_head(const SegmentTable& table) {
  const std::string bytes = encode_segment_table(table, k_max_gzip_table);
  std::string head(k_gzip_header);
  if (bytes.empty()) return head;
  head[k_gzip_flags] = k_has_extra_field;
  append_little_endian(head, k_field_header + bytes.size(), 2);
  head += k_field_id;
  append_little_endian(head, bytes.size(), 2);
  head += bytes;
  return head;
}

// What stands behind the frames: with the CRC and size of what they hold.
std::string gzip_tail(const SegmentTable& table) {
  std::string tail(k_final_block);
  append_little_endian(tail, table.crc32(), 4);
  append_little_endian(tail, table.open_size(), 4);
  return tail;
}

std::string zstd_tail(const SegmentTable& table) {
  const std::string bytes = encode_segment_table(table, k_max_zstd_table);
  if (bytes.empty()) return {};
  std::string tail(k_skippable_magic);
  append_little_endian(tail, bytes.size() + k_table_footer, 4);
  tail += bytes;
  append_little_endian(tail, bytes.size(), 4);
  tail += k_table_mark;
  return tail;
}

Result<std::string> read_end(const StoredBytes& stored, std::uint64_t size) {
  size = std::min(size, stored.size());
  return read_piece(stored, stored.size() - size, size);
}

// The field in which a table is kept, out of all extra fields.
std::optional<std::string_view> find_field(std::string_view fields) {
  while (fields.size() >= k_field_header) {
    const std::size_t size = read_little_endian(fields.substr(2, 2));
    if (size > fields.size() - k_field_header) return std::nullopt;
    if (fields.starts_with(k_field_id)) return fields.substr(k_field_header, size);
    fields.remove_prefix(k_field_header + size);
  }
  return std::nullopt;
}

Result<Found> find_in_gzip(const StoredBytes& stored, std::string_view head) {
  std::string header(k_gzip_header);
  header[k_gzip_flags] = k_has_extra_field;
  if (!head.starts_with(header) || head.size() < k_first_field) return Found();
  const std::size_t first_frame = k_first_field + read_little_endian(head.substr(header.size(), 2));
  if (first_frame > head.size()) return Found();
  const auto field = find_field(head.substr(k_first_field, first_frame - k_first_field));
  if (!field) return Found();
  auto table = decode_segment_table(*field);
  if (!table || first_frame + table->stored_size() + k_gzip_tail != stored.size()) return Found();
  const auto tail = read_end(stored, k_gzip_tail);
  if (!tail) return tail.error();
  if (*tail != gzip_tail(*table)) return Found();
  return Found({Compression::gz, *std::move(table), first_frame});
}

// The size of the skippable frame with the table, as the last bytes of the file say.
std::optional<std::size_t> skippable_size(std::string_view tail) {
  if (tail.size() < k_table_footer || !tail.ends_with(k_table_mark)) return std::nullopt;
  const std::size_t size = read_little_endian(tail.substr(tail.size() - k_table_footer, 4));
  if (size > k_max_zstd_table) return std::nullopt;
  return k_skippable_header + size + k_table_footer;
}

Result<Found> find_in_zstd(const StoredBytes& stored) {
  auto tail = read_end(stored, k_read_size);
  if (!tail) return std::move(tail).error();
  const auto size = skippable_size(*tail);
  if (!size || *size > stored.size()) return Found();
  if (*size > tail->size()) tail = read_end(stored, *size);
  if (!tail) return std::move(tail).error();
  const std::string_view frame = std::string_view(*tail).substr(tail->size() - *size);
  if (!frame.starts_with(k_skippable_magic)) return Found();
  if (read_little_endian(frame.substr(k_skippable_magic.size(), 4)) != *size - k_skippable_header) return Found();
  auto table = decode_segment_table(frame.substr(k_skippable_header, *size - k_skippable_header - k_table_footer));
  if (!table || table->stored_size() + *size != stored.size()) return Found();
  const auto has_segments = [](const Frame& of_table) { return !of_table.segments.empty(); };
  if (std::ranges::any_of(table->frames, has_segments)) return Found();
  return Found({Compression::zstd, *std::move(table), 0});
}

}  // namespace

Container make_container(Compression compression, const SegmentTable& table) {
  if (compression == Compression::zstd) return {{}, zstd_tail(table)};
  return {gzip_head(table), gzip_tail(table)};
}

Result<std::optional<FoundTable>> find_segment_table(const StoredBytes& stored) {
  const auto head = read_piece(stored, 0, std::min<std::uint64_t>(stored.size(), k_first_field + k_read_size));
  if (!head) return head.error();
  if (head->starts_with(k_zstd_magic)) return find_in_zstd(stored);
  return find_in_gzip(stored, *head);
}

}  // namespace repoupdate
