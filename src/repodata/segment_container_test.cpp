// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_container.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>
#include <vector>

#include "repodata/decoder.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/little_endian.hpp"
#include "repodata/whole_file.hpp"

namespace repoupdate {
namespace {

constexpr auto k_compressions = {Compression::gz, Compression::zstd};
constexpr std::size_t k_packages_in_segment = 10;

struct SampleFile {
  std::string open;
  std::string frames;
  SegmentTable table;

  std::string stored(Compression compression) const {
    const Container container = make_container(compression, table);
    return container.head + frames + container.tail;
  }
};

std::string package(std::size_t number) {
  const std::string text = std::to_string(number * 2654435761U);
  return "<package type=\"rpm\">\n  <name>pkg-" + text + "</name>\n  <location href=\"pkg-" + text +
         ".rpm\"/>\n</package>\n";
}

// A frame that holds `open`, not cut further.
void add_frame(SampleFile& file, Compression compression, std::string_view open, std::uint32_t packages) {
  FrameEncoder encoder(compression);
  Frame& frame = file.table.frames.emplace_back();
  const std::string stored = encoder.encode(open, {});
  frame.stored_size = stored.size();
  frame.open_size = open.size();
  frame.packages = packages;
  frame.crc32 = crc32_of(open);
  file.open += open;
  file.frames += stored;
}

void add_segments(SampleFile& file, std::size_t first, std::size_t packages) {
  FrameEncoder encoder(Compression::gz);
  Frame& frame = file.table.frames.emplace_back();
  std::string open;
  for (std::size_t done = 0; done < packages; done += k_packages_in_segment) {
    std::string fresh;
    for (std::size_t i = 0; i < k_packages_in_segment; ++i) fresh += package(first + done + i);
    const std::string stored = encoder.encode(fresh, open);
    frame.segments.push_back({static_cast<std::uint32_t>(stored.size()), static_cast<std::uint32_t>(fresh.size()),
                              static_cast<std::uint32_t>(k_packages_in_segment)});
    frame.stored_size += stored.size();
    file.frames += stored;
    open += fresh;
  }
  frame.open_size = open.size();
  frame.packages = static_cast<std::uint32_t>(packages);
  frame.crc32 = crc32_of(open);
  file.open += open;
}

SampleFile sample_file(Compression compression) {
  SampleFile file;
  add_frame(file, compression, "<?xml version=\"1.0\"?>\n<metadata packages=\"42\">\n", 0);
  for (std::size_t first : {0U, 20U}) {
    if (compression == Compression::gz) {
      add_segments(file, first, 20);
    } else {
      std::string open;
      for (std::size_t i = 0; i < 20; ++i) open += package(first + i);
      add_frame(file, compression, open, 20);
    }
    file.table.frames.back().names = {"pkg-", "pkg-9"};
  }
  add_frame(file, compression, package(40) + package(41), 2);
  add_frame(file, compression, "</metadata>\n", 0);
  return file;
}

std::optional<FoundTable> find(std::string stored) {
  const auto found = find_segment_table(MemoryBytes(std::move(stored)));
  EXPECT_TRUE(found) << found.error().text();
  return found ? *found : std::nullopt;
}

std::string decode(std::string_view stored) {
  std::string open;
  Decoder decoder(stored);
  for (;;) {
    const auto piece = decoder.next();
    EXPECT_TRUE(piece) << piece.error().text();
    if (!piece || piece->empty()) return open;
    open += *piece;
  }
}

// What is read from the first member of a gzip file, and how many bytes it takes.
std::pair<std::string, std::size_t> first_member(std::string_view stored, std::size_t room) {
  std::string open(room, '\0');
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stored.data()));
  stream.avail_in = static_cast<uInt>(stored.size());
  stream.next_out = reinterpret_cast<Bytef*>(open.data());
  stream.avail_out = static_cast<uInt>(open.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END) << (stream.msg ? stream.msg : "");
  open.resize(stream.total_out);
  inflateEnd(&stream);
  return {open, stream.total_in};
}

TEST(SegmentContainer, IsAnOrdinaryFileForEveryOtherReader) {
  for (const Compression compression : k_compressions) {
    const SampleFile file = sample_file(compression);
    EXPECT_TRUE(decode(file.stored(compression)) == file.open) << file_suffix(compression);
  }
}

// Java's GZIPInputStream and some one-shot decoders stop after the first member.
TEST(SegmentContainer, IsOneMemberInGzip) {
  const SampleFile file = sample_file(Compression::gz);
  const std::string stored = file.stored(Compression::gz);
  const auto [open, size] = first_member(stored, file.open.size() + 1);
  EXPECT_TRUE(open == file.open);
  EXPECT_EQ(size, stored.size());
}

TEST(SegmentContainer, FindsTheTableAndEveryFrameByIt) {
  for (const Compression compression : k_compressions) {
    const SampleFile file = sample_file(compression);
    const std::string stored = file.stored(compression);
    const auto found = find(stored);
    ASSERT_TRUE(found) << file_suffix(compression);
    EXPECT_EQ(found->compression, compression);
    EXPECT_EQ(found->table, file.table);
    EXPECT_EQ(stored.substr(found->first_frame, file.frames.size()), file.frames);
    FrameDecoder decoder(compression);
    std::size_t offset = found->first_frame;
    std::string whole, open;
    for (const Frame& frame : found->table.frames) {
      const auto done =
          decoder.decode(std::string_view(stored).substr(offset, frame.stored_size), frame.open_size, open);
      ASSERT_TRUE(done) << done.error().text();
      EXPECT_EQ(crc32_of(open), frame.crc32);
      offset += frame.stored_size;
      whole += open;
    }
    EXPECT_TRUE(whole == file.open);
  }
}

TEST(SegmentContainer, ATruncatedFileHasNoTable) {
  for (const Compression compression : k_compressions) {
    const std::string stored = sample_file(compression).stored(compression);
    for (std::size_t size = 0; size < stored.size(); ++size) {
      EXPECT_FALSE(find(stored.substr(0, size))) << file_suffix(compression) << ' ' << size;
      EXPECT_FALSE(find(stored.substr(size + 1))) << file_suffix(compression) << ' ' << size;
    }
  }
}

// Within the frames it need not be noticed here: decompressing them tells.
TEST(SegmentContainer, AFlippedBitHidesTheTableOrLeavesItAsItWas) {
  for (const Compression compression : k_compressions) {
    const SampleFile file = sample_file(compression);
    const std::string stored = file.stored(compression);
    const std::size_t first_frame = make_container(compression, file.table).head.size();
    for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
      std::string damaged = stored;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const auto found = find(damaged);
      const bool in_frames = bit / 8 >= first_frame && bit / 8 < first_frame + file.frames.size();
      EXPECT_TRUE(!found || in_frames) << file_suffix(compression) << ' ' << bit;
      EXPECT_TRUE(!found || found->table == file.table) << file_suffix(compression) << ' ' << bit;
    }
  }
}

TEST(SegmentContainer, AnythingBesideTheFileHidesTheTable) {
  for (const Compression compression : k_compressions) {
    const std::string stored = sample_file(compression).stored(compression);
    for (const std::string& changed : {stored + '\0', stored + stored, '\n' + stored})
      EXPECT_FALSE(find(changed)) << file_suffix(compression);
  }
}

TEST(SegmentContainer, FilesOfOthersHaveNoTable) {
  for (const Compression compression : k_compressions) {
    EXPECT_FALSE(find(sample::whole_file(compression, sample_file(compression).open))) << file_suffix(compression);
  }
  for (const std::string& stored : {std::string(), std::string("<metadata/>"), std::string("BZh9"), std::string("\x1f"),
                                    std::string("\x1f\x8b\x08\x04\0\0\0\0\0\xff", 10)})
    EXPECT_FALSE(find(stored)) << stored;
}

// What is said of the frames must be what the file holds.
TEST(SegmentContainer, ATableThatDoesNotFitTheFileIsNone) {
  for (const Compression compression : k_compressions) {
    const SampleFile file = sample_file(compression);
    SampleFile longer = file;
    ++longer.table.frames.back().stored_size;
    EXPECT_FALSE(find(longer.stored(compression))) << file_suffix(compression);
    SampleFile shorter = file;
    shorter.table.frames.pop_back();
    EXPECT_FALSE(find(shorter.stored(compression))) << file_suffix(compression);
  }
  const SampleFile file = sample_file(Compression::gz);
  for (const bool size : {true, false}) {
    SegmentTable lying = file.table;
    size ? ++lying.frames[3].open_size : ++lying.frames[3].crc32;
    EXPECT_FALSE(find(make_container(Compression::gz, lying).head + file.frames +
                      make_container(Compression::gz, file.table).tail));
  }
  SampleFile with_segments = sample_file(Compression::zstd);
  Frame& frame = with_segments.table.frames[1];
  frame.segments = {{static_cast<std::uint32_t>(frame.stored_size), static_cast<std::uint32_t>(frame.open_size), 20}};
  EXPECT_FALSE(find(with_segments.stored(Compression::zstd)));
}

// The header of a gzip file with these extra fields, and its first `flags`.
std::string gzip_header(const std::string& fields, char flags = 4) {
  std::string header = std::string("\x1f\x8b\x08", 3) + flags + std::string("\0\0\0\0\0\xff", 6);
  append_little_endian(header, fields.size(), 2);
  return header + fields;
}

TEST(SegmentContainer, WalksTheExtraFieldsOfGzip) {
  const SampleFile file = sample_file(Compression::gz);
  const Container container = make_container(Compression::gz, file.table);
  const std::string ours = container.head.substr(12), rest = file.frames + container.tail;
  const std::string other("BC\x02\0\x1b\0", 6), empty("XX\0\0", 4);
  for (const std::string& fields : {ours, other + ours, ours + other, other + empty + ours + empty}) {
    const auto found = find(gzip_header(fields) + rest);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->table, file.table);
    EXPECT_EQ(found->first_frame, 12 + fields.size());
    EXPECT_TRUE(decode(gzip_header(fields) + rest) == file.open);
  }
  const std::string endless("XX\xff\xff", 4);
  for (const std::string& fields :
       {std::string(), other, other.substr(0, 5), endless + ours, ours.substr(1), std::string("RU\0\0", 4)})
    EXPECT_FALSE(find(gzip_header(fields) + rest));
  EXPECT_FALSE(find(gzip_header(ours, 4 + 8) + rest)) << "a name follows";
}

SegmentTable table_of(std::size_t frames, std::size_t segments) {
  SegmentTable table;
  Frame frame;
  frame.stored_size = 20 * segments;
  frame.open_size = 100 * segments;
  frame.packages = static_cast<std::uint32_t>(segments);
  frame.segments.assign(segments, {20, 100, 1});
  frame.names = {std::string(k_max_name_bound, 'a'), std::string(k_max_name_bound, 'b')};
  table.frames.assign(frames, frame);
  for (Frame* outer : {&table.frames.front(), &table.frames.back()}) *outer = {1, 1, 0, 0, {}, {}};
  return table;
}

// RFC 1952: the size of all extra fields has two bytes. What is too much is left out; the file stays readable.
TEST(SegmentContainer, TheTableNeverOutgrowsTheGzipHeader) {
  for (const std::size_t frames : {10U, 900U, 4000U, 20'000U}) {
    const SegmentTable table = table_of(frames, 40);
    const std::string head = make_container(Compression::gz, table).head;
    EXPECT_LE(head.size(), 12U + 65'535U);
    const bool left_out = frames == 20'000;
    EXPECT_EQ(head.size() == 10, left_out) << frames;
    const Container container = make_container(Compression::gz, table);
    const auto found = find(container.head + std::string(table.stored_size(), 'x') + container.tail);
    ASSERT_EQ(found.has_value(), !left_out) << frames;
    if (!found) continue;
    EXPECT_EQ(found->table.frames.size(), frames);
    EXPECT_EQ(!found->table.frames[1].segments.empty(), frames <= 10) << frames;
    EXPECT_EQ(found->table.frames[1].names != NameRange(), frames <= 900) << frames;
  }
  SampleFile huge = sample_file(Compression::gz);
  huge.table.frames.resize(20'000, huge.table.frames[1]);
  EXPECT_EQ(make_container(Compression::gz, huge.table).head.size(), 10U);
}

class CountingBytes final : public StoredBytes {
public:
  explicit CountingBytes(std::string bytes) : m_bytes(std::move(bytes)) {}
  std::uint64_t size() const override { return m_bytes.size(); }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override {
    ++reads;
    if (reads == fail_at) return Error{ErrorKind::unavailable, "connection reset", {}};
    return m_bytes.read(offset, into);
  }
  mutable int reads = 0;
  int fail_at = 0;

private:
  MemoryBytes m_bytes;
};

// A read of a store is a request.
TEST(SegmentContainer, IsFoundWithThreeReadsAndTellsWhenOneFails) {
  SampleFile large;
  large.table = table_of(3000, 40);
  for (Frame& frame : large.table.frames) frame.segments.clear();
  large.frames = "\x28\xb5\x2f\xfd" + std::string(large.table.stored_size() - 4, 'x');
  const std::vector<std::pair<std::string, int>> files{
      {sample_file(Compression::gz).stored(Compression::gz), 2},
      {sample_file(Compression::zstd).stored(Compression::zstd), 2},
      {large.stored(Compression::zstd), 3},
  };
  for (const auto& [stored, reads] : files) {
    CountingBytes bytes(stored);
    const auto found = find_segment_table(bytes);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(bytes.reads, reads);
    for (int fail_at = 1; fail_at <= reads; ++fail_at) {
      CountingBytes failing(stored);
      failing.fail_at = fail_at;
      EXPECT_TRUE(find_segment_table(failing).failed_with(ErrorKind::unavailable)) << fail_at;
    }
  }
}

}  // namespace
}  // namespace repoupdate
