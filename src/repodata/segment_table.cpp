// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_table.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "repodata/decoder.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/little_endian.hpp"

namespace repoupdate {
namespace {

constexpr std::uint8_t k_version = 1;
constexpr std::uint8_t k_has_names = 1;
constexpr std::uint8_t k_has_segments = 2;
constexpr std::size_t k_crc_size = 4;
constexpr unsigned k_number_bits = 35;            // of the longest number: five bytes
constexpr std::uint64_t k_max_frames = 1U << 16;  // 16 GiB in frames of 256 KiB
constexpr std::uint64_t k_max_count = std::numeric_limits<std::uint32_t>::max();

// How much of a table is written; each holds what stands before it.
enum class Detail { frames, names, segments };

void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(0x80 | (number & 0x7f));
  out += static_cast<char>(number);
}

void append_frame(std::string& out, const Frame& frame, Detail detail) {
  const bool names = detail >= Detail::names && frame.names != NameRange();
  const bool segments = detail >= Detail::segments && !frame.segments.empty();
  append_number(out, frame.stored_size);
  append_number(out, frame.open_size);
  append_number(out, frame.packages);
  append_little_endian(out, frame.crc32, k_crc_size);
  out += static_cast<char>((names ? k_has_names : 0) | (segments ? k_has_segments : 0));
  if (names) {
    for (const std::string* bound : {&frame.names.least, &frame.names.greatest}) {
      append_number(out, bound->size());
      out += *bound;
    }
  }
  if (segments) {
    append_number(out, frame.segments.size());
    for (const Segment& segment : frame.segments) {
      append_number(out, segment.stored_size);
      append_number(out, segment.open_size);
      append_number(out, segment.packages);
    }
  }
}

std::string encode(const SegmentTable& table, Detail detail) {
  std::string out(1, static_cast<char>(k_version));
  append_number(out, table.frames.size());
  for (const Frame& frame : table.frames) append_frame(out, frame, detail);
  append_little_endian(out, crc32_of(out), k_crc_size);
  return out;
}

// Takes a table apart. From the first thing on that cannot be there it has failed, and everything reads as zero.
class TableReader {
public:
  explicit TableReader(std::string_view bytes) : m_rest(bytes) {}

  bool failed() const { return m_failed; }
  bool at_end() const { return m_rest.empty(); }

  std::uint8_t byte() { return static_cast<std::uint8_t>(read_little_endian(bytes(1))); }
  std::uint32_t crc() { return static_cast<std::uint32_t>(read_little_endian(bytes(k_crc_size))); }

  std::uint64_t number(std::uint64_t limit) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < k_number_bits; shift += 7) {
      const std::uint8_t part = byte();
      value |= std::uint64_t{part & 0x7fU} << shift;
      if (part >= 0x80) continue;
      const bool shortest = part != 0 || shift == 0;
      return shortest && value <= limit ? value : fail();
    }
    return fail();
  }
  std::uint32_t count() { return static_cast<std::uint32_t>(number(k_max_count)); }

  std::string_view bytes(std::size_t size) {
    if (size > m_rest.size()) fail();
    const std::string_view taken = m_rest.substr(0, m_failed ? 0 : size);
    m_rest.remove_prefix(taken.size());
    return taken;
  }

  std::uint64_t fail() {
    m_failed = true;
    return 0;
  }

private:
  std::string_view m_rest;
  bool m_failed = false;
};

std::vector<Segment> read_segments(TableReader& reader) {
  std::vector<Segment> segments;
  const std::uint32_t count = reader.count();
  if (count == 0) reader.fail();  // the frame said that there are some
  for (std::uint32_t i = 0; i < count && !reader.failed(); ++i)
    segments.push_back({reader.count(), reader.count(), reader.count()});
  return segments;
}

NameRange read_names(TableReader& reader) {
  NameRange names;
  for (std::string* bound : {&names.least, &names.greatest})
    *bound = reader.bytes(static_cast<std::size_t>(reader.number(k_max_name_bound)));
  if (names == NameRange() || names.least > names.greatest) reader.fail();
  return names;
}

Frame read_frame(TableReader& reader) {
  Frame frame;
  frame.stored_size = reader.number(k_max_frame_size);
  frame.open_size = reader.number(k_max_frame_size);
  frame.packages = reader.count();
  frame.crc32 = reader.crc();
  const std::uint8_t follows = reader.byte();
  if (follows & ~(k_has_names | k_has_segments)) reader.fail();
  if (follows & k_has_names) frame.names = read_names(reader);
  if (follows & k_has_segments) frame.segments = read_segments(reader);
  return frame;
}

bool segments_add_up(const Frame& frame) {
  std::uint64_t stored = 0, open = 0, packages = 0;
  for (const Segment& segment : frame.segments) {
    if (segment.stored_size == 0 || segment.open_size == 0) return false;
    if (segment.packages == 0 && frame.packages != 0) return false;
    stored += segment.stored_size;
    open += segment.open_size;
    packages += segment.packages;
  }
  return frame.segments.empty() ||
         (stored == frame.stored_size && open == frame.open_size && packages == frame.packages);
}

// Empty when a file can be cut like this.
std::string_view contradiction_in(const SegmentTable& table) {
  if (table.frames.size() < 2) return "it lacks the prolog or the trailer";
  for (const Frame& frame : table.frames) {
    const bool is_outer = &frame == &table.frames.front() || &frame == &table.frames.back();
    if (frame.stored_size == 0 || frame.open_size == 0) return "a frame is empty";
    if ((frame.packages == 0) != is_outer) return "packages are not where they should be";
    if (!segments_add_up(frame)) return "the segments of a frame do not add up to it";
  }
  // k_max_frames frames of k_max_frame_size: these sums cannot overflow.
  if (std::max(table.open_size(), table.stored_size()) > k_max_open_metadata_size) return "the file would be too large";
  return {};
}

Error corrupt(std::string_view why) {
  return {ErrorKind::corrupt, "the segment table is damaged: " + std::string(why), {}};
}

}  // namespace

bool NameRange::may_hold(std::string_view name) const {
  if (least.empty() && greatest.empty()) return true;
  return name >= least && (name <= greatest || name.starts_with(greatest));
}

void NameRange::add(std::string_view name) {
  const std::string_view bound = name.substr(0, k_max_name_bound);
  if (name.empty()) {
    least.clear();
    greatest.assign(k_max_name_bound, '\xff');  // above every name, however that is cut
  } else if (least.empty() && greatest.empty()) {
    least = greatest = bound;
  } else if (bound < least) {
    least = bound;
  } else if (bound > greatest) {
    greatest = bound;
  }
}

std::uint64_t SegmentTable::stored_size() const {
  return std::accumulate(frames.begin(), frames.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Frame& frame) { return sum + frame.stored_size; });
}

std::uint64_t SegmentTable::open_size() const {
  return std::accumulate(frames.begin(), frames.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Frame& frame) { return sum + frame.open_size; });
}

std::size_t SegmentTable::packages() const {
  return std::accumulate(frames.begin(), frames.end(), std::size_t{0},
                         [](std::size_t sum, const Frame& frame) { return sum + frame.packages; });
}

std::uint32_t SegmentTable::crc32() const {
  return std::accumulate(frames.begin(), frames.end(), std::uint32_t{0}, [](std::uint32_t crc, const Frame& frame) {
    return combine_crc32(crc, frame.crc32, frame.open_size);
  });
}

std::string encode_segment_table(const SegmentTable& table, std::size_t limit) {
  for (const Detail detail : {Detail::segments, Detail::names, Detail::frames})
    if (std::string bytes = encode(table, detail); bytes.size() <= limit) return bytes;
  return {};
}

Result<SegmentTable> decode_segment_table(std::string_view bytes) {
  const std::string_view body = bytes.substr(0, bytes.size() - std::min(bytes.size(), k_crc_size));
  if (read_little_endian(bytes.substr(body.size())) != crc32_of(body)) return corrupt("its checksum is another");
  TableReader reader(body);
  if (reader.byte() != k_version) return corrupt("its version is unknown");
  SegmentTable table;
  const std::uint64_t count = reader.number(k_max_frames);
  for (std::uint64_t i = 0; i < count && !reader.failed(); ++i) table.frames.push_back(read_frame(reader));
  if (reader.failed() || !reader.at_end()) return corrupt("it is not well-formed");
  if (const std::string_view why = contradiction_in(table); !why.empty()) return corrupt(why);
  return table;
}

}  // namespace repoupdate
