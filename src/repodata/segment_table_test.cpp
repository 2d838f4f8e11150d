// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_table.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "repodata/decoder.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/little_endian.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_no_limit = std::numeric_limits<std::size_t>::max();

Frame frame(std::uint64_t stored, std::uint64_t open, std::uint32_t packages, std::uint32_t crc = 0x01020304) {
  Frame made;
  made.stored_size = stored;
  made.open_size = open;
  made.packages = packages;
  made.crc32 = crc;
  return made;
}

SegmentTable small_table() {
  SegmentTable table;
  table.frames = {frame(90, 126, 0), frame(20'000, 140'000, 21, 0xfffefdfc), frame(700, 5000, 1), frame(9, 12, 0)};
  table.frames[1].names = {"0ad-0.0.25b", "bash-5.1"};
  table.frames[1].segments = {{12'000, 66'000, 10}, {8000, 74'000, 11}};
  table.frames[3].segments = {{9, 12, 0}};
  return table;
}

std::string encoded(const SegmentTable& table) {
  return encode_segment_table(table, k_no_limit);
}

// The end of an encoded table, made anew after a change before it.
std::string sealed(std::string body) {
  append_little_endian(body, crc32_of(body), 4);
  return body;
}

TEST(SegmentTable, ReadsWhatItWrote) {
  const auto table = decode_segment_table(encoded(small_table()));
  ASSERT_TRUE(table) << table.error().text();
  EXPECT_EQ(*table, small_table());
}

// Files that are stored somewhere keep their tables over an upgrade.
TEST(SegmentTable, HasTheBytesThatItsHeaderSays) {
  SegmentTable table;
  table.frames = {frame(1, 127, 0), frame(300, 16'384, 2), frame(9, 12, 0)};
  table.frames[1].names = {"a", "bc"};
  table.frames[1].segments = {{100, 8000, 1}, {200, 8384, 1}};
  EXPECT_EQ(to_hex(encoded(table)),
            "0103"
            "017f000403020100"
            "ac02808001020403020103"
            "0161026263"
            "0264c03e01c801c04101"
            "090c000403020100"
            "4c2ecdb9");
}

TEST(SegmentTable, HoldsTheLargestNumbers) {
  SegmentTable table;
  table.frames = {frame(1, 1, 0), frame(k_max_frame_size, k_max_frame_size, 0xffffffff, 0xffffffff), frame(1, 1, 0)};
  const auto read = decode_segment_table(encoded(table));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(*read, table);
}

TEST(SegmentTable, AddsUpItsFrames) {
  const std::string first = "<metadata>", second = "<package/>", third = "</metadata>";
  SegmentTable table;
  for (const std::string& open : {first, second, third})
    table.frames.push_back(frame(open.size() + 5, open.size(), open == second, crc32_of(open)));
  EXPECT_EQ(table.stored_size(), first.size() + second.size() + third.size() + 15);
  EXPECT_EQ(table.open_size(), first.size() + second.size() + third.size());
  EXPECT_EQ(table.packages(), 1U);
  EXPECT_EQ(table.crc32(), crc32_of(first + second + third));
}

TEST(SegmentTable, TooLargeLeavesOutSegmentsThenNamesThenAll) {
  const SegmentTable whole = small_table();
  SegmentTable without_segments = whole;
  for (Frame& of_table : without_segments.frames) of_table.segments.clear();
  SegmentTable bare = without_segments;
  for (Frame& of_table : bare.frames) of_table.names = {};

  const std::vector<std::pair<const SegmentTable*, const SegmentTable*>> steps{
      {&whole, &without_segments}, {&without_segments, &bare}, {&bare, nullptr}};
  for (const auto& [fits, shorter] : steps) {
    const std::size_t size = encoded(*fits).size();
    EXPECT_EQ(*decode_segment_table(encode_segment_table(whole, size)), *fits);
    const std::string next = encode_segment_table(whole, size - 1);
    if (shorter)
      EXPECT_EQ(*decode_segment_table(next), *shorter);
    else
      EXPECT_EQ(next, "");
  }
}

TEST(SegmentTable, TruncatedIsCorruptWhereverItEnds) {
  const std::string bytes = encoded(small_table());
  const std::string body = bytes.substr(0, bytes.size() - 4);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(decode_segment_table(bytes.substr(0, size)).failed_with(ErrorKind::corrupt)) << size;
  for (std::size_t size = 0; size < body.size(); ++size)
    EXPECT_TRUE(decode_segment_table(sealed(body.substr(0, size))).failed_with(ErrorKind::corrupt)) << size;
}

TEST(SegmentTable, AFlippedBitIsCorruptWhereverItIs) {
  const std::string bytes = encoded(small_table());
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    EXPECT_TRUE(decode_segment_table(damaged).failed_with(ErrorKind::corrupt)) << bit;
  }
}

// With a checksum that is right: refused, or a table that adds up and is written with the same bytes.
TEST(SegmentTable, AChangedByteNeverMakesATableThatContradictsItself) {
  const std::string bytes = encoded(small_table());
  const std::string body = bytes.substr(0, bytes.size() - 4);
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = body;
      changed[i] = static_cast<char>(value);
      const auto table = decode_segment_table(sealed(changed));
      if (!table) continue;
      EXPECT_EQ(encoded(*table), sealed(changed));
      for (const Frame& of_table : table->frames) {
        std::uint64_t open = of_table.segments.empty() ? of_table.open_size : 0;
        for (const Segment& segment : of_table.segments) open += segment.open_size;
        EXPECT_EQ(open, of_table.open_size);
      }
    }
  }
}

TEST(SegmentTable, RefusesWhatContradictsItself) {
  struct Lie {
    std::string what;
    std::function<void(SegmentTable&)> tell;
  };
  const std::vector<Lie> lies{
      {"no frames", [](SegmentTable& table) { table.frames.clear(); }},
      {"one frame", [](SegmentTable& table) { table.frames.resize(1); }},
      {"packages in the prolog", [](SegmentTable& table) { table.frames.front().packages = 1; }},
      {"packages in the trailer", [](SegmentTable& table) { table.frames[3] = table.frames[2]; }},
      {"a frame without packages", [](SegmentTable& table) { table.frames[2].packages = 0; }},
      {"a frame of no stored bytes", [](SegmentTable& table) { table.frames[2].stored_size = 0; }},
      {"a frame of no open bytes", [](SegmentTable& table) { table.frames[2].open_size = 0; }},
      {"a frame too large", [](SegmentTable& table) { table.frames[2].open_size = k_max_frame_size + 1; }},
      {"a frame stored too large", [](SegmentTable& table) { table.frames[2].stored_size = k_max_frame_size + 1; }},
      {"stored bytes missing", [](SegmentTable& table) { ++table.frames[1].stored_size; }},
      {"open bytes missing", [](SegmentTable& table) { ++table.frames[1].open_size; }},
      {"a package missing", [](SegmentTable& table) { ++table.frames[1].packages; }},
      {"a segment too many",
       [](SegmentTable& table) {
         table.frames[1].segments.push_back({1, 1, 1});
       }},
      {"a segment without packages",
       [](SegmentTable& table) {
         table.frames[1].segments[0].packages += 11;
         table.frames[1].segments[1].packages = 0;
       }},
      {"a segment of no bytes",
       [](SegmentTable& table) {
         table.frames[3].segments.push_back({0, 0, 0});
       }},
      {"a name that is too long",
       [](SegmentTable& table) { table.frames[1].names.greatest = std::string(k_max_name_bound + 1, 'z'); }},
      {"names upside down",
       [](SegmentTable& table) {
         table.frames[1].names = {"b", "a"};
       }},
      {"an open file too large",
       [](SegmentTable& table) {
         const Frame large = frame(1, k_max_frame_size, 1);
         table.frames.insert(table.frames.begin() + 1, k_max_open_metadata_size / k_max_frame_size + 1, large);
       }},
      {"a stored file too large",
       [](SegmentTable& table) {
         const Frame large = frame(k_max_frame_size, 1, 1);
         table.frames.insert(table.frames.begin() + 1, k_max_open_metadata_size / k_max_frame_size + 1, large);
       }},
  };
  for (const Lie& lie : lies) {
    SegmentTable table = small_table();
    lie.tell(table);
    EXPECT_TRUE(decode_segment_table(encoded(table)).failed_with(ErrorKind::corrupt)) << lie.what;
  }
}

TEST(SegmentTable, RefusesWhatItWouldNotHaveWritten) {
  const std::string prolog = "0101000403020100", trailer = prolog;
  const auto table_of = [](const std::string& hex) { return decode_segment_table(sealed(*from_hex(hex))); };
  ASSERT_TRUE(table_of("0102" + prolog + trailer));
  for (const std::string& hex : {
           "0202" + prolog + trailer,                            // of another version
           "0102" + prolog + trailer + "00",                     // followed by something
           "018200" + prolog + trailer,                          // a number longer than it need be
           "01ffffffffffff" + prolog + trailer,                  // a number without an end
           "0102" + prolog + "81808080800101000403020100",       // a number of six bytes
           "01ffffffff0f" + prolog + trailer,                    // more frames than there are bytes
           "0102" + prolog + "0101000403020104",                 // an unknown flag
           "0102" + prolog + "0101000403020102" + "00",          // no segments where there should be some
           "0102" + prolog + "0101000403020102" + "ffffffff0f",  // more than there are bytes
           "0102" + prolog + "0101000403020101" + "0000",        // no names where there should be some
           "0102" + prolog + "0101000403020101" + "18",          // a name that ends too late
       })
    EXPECT_TRUE(table_of(hex).failed_with(ErrorKind::corrupt)) << hex;
}

NameRange range_of(const std::vector<std::string>& names) {
  NameRange range;
  for (const std::string& name : names) range.add(name);
  return range;
}

TEST(NameRange, HoldsWhatLiesBetweenAndMoreWhereItWasCut) {
  const std::string cut(k_max_name_bound, 'm');
  struct Case {
    NameRange range;
    std::string name;
    bool may_hold;
  };
  const std::vector<Case> cases{
      {{}, "", true},
      {{}, "anything", true},
      {{"b", "d"}, "a", false},
      {{"b", "d"}, "b", true},
      {{"b", "d"}, "c", true},
      {{"b", "d"}, "d", true},
      {{"b", "d"}, "d-devel", true},
      {{"b", "d"}, "e", false},
      {{"b", "d"}, "", false},
      {{"b", "d"}, "\xc3\xa4", false},
      {{"b", "\xc3\xa4"}, "z", true},
      {range_of({cut + "5"}), cut + "4", true},
      {range_of({cut + "5"}), cut + "6", true},
      {range_of({cut + "5"}), "n", false},
      {range_of({cut + "5"}), cut.substr(1), false},
  };
  for (const Case& row : cases)
    EXPECT_EQ(row.range.may_hold(row.name), row.may_hold)
        << row.range.least << ".." << row.range.greatest << " " << row.name;
}

TEST(NameRange, GrowsToHoldEveryNameInWhateverOrder) {
  const std::string text(60, 'x');
  const std::vector<std::string> names{"kernel-6.1",     "0ad",      "bash",    "z" + text,
                                       "z" + text + "y", "a" + text, "\xff\xff"};
  for (std::size_t first = 0; first < names.size(); ++first) {
    NameRange range;
    for (std::size_t i = 0; i < names.size(); ++i) range.add(names[(first + i) % names.size()]);
    for (const std::string& name : names) EXPECT_TRUE(range.may_hold(name)) << name;
    EXPECT_FALSE(range.may_hold("/"));
  }
  EXPECT_EQ(range_of({"c", "a", "b"}), (NameRange{"a", "c"}));
}

// Its file name could be any.
TEST(NameRange, ANamelessPackageMakesItHoldAnyName) {
  const std::string last(100, '\xff');
  for (const auto& names :
       std::vector<std::vector<std::string>>{{""}, {"a", ""}, {"", "a"}, {"", "\xff!"}, {"b", "", last, "a"}})
    for (const std::string& name : {std::string(), std::string("a"), std::string("zzz"), last})
      EXPECT_TRUE(range_of(names).may_hold(name));
  SegmentTable table = small_table();
  table.frames[1].names = range_of({"a", "", "b"});
  EXPECT_EQ(*decode_segment_table(encoded(table)), table);
}

}  // namespace
}  // namespace repoupdate
