// SPDX-License-Identifier: Apache-2.0
#include "repodata/frame_codec.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace repoupdate {
namespace {

constexpr auto k_compressions = {Compression::gz, Compression::zstd};

// Compresses as metadata do: much of it comes again, near and far.
std::string text_of(std::size_t size, std::uint32_t state = 1) {
  std::string text;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    const std::string number = std::to_string(state >> 20);
    text += "<package pkgid=\"" + number + number + "\"><file>/usr/share/" + std::to_string(state % 97) + "</file>\n";
  }
  text.resize(size);
  return text;
}

Result<std::string> decode(Compression compression, std::string_view stored, std::uint64_t open_size) {
  FrameDecoder decoder(compression);
  std::string open = "from before";
  if (auto done = decoder.decode(stored, open_size, open); !done) return done.error();
  return open;
}

bool is_corrupt(Compression compression, std::string_view stored, std::uint64_t open_size) {
  return decode(compression, stored, open_size).failed_with(ErrorKind::corrupt);
}

// A frame of gz, cut into segments.
std::vector<std::string> segments_of(std::string_view open, std::size_t size) {
  FrameEncoder encoder(Compression::gz);
  std::vector<std::string> segments;
  for (std::size_t begin = 0; begin < open.size(); begin += size)
    segments.push_back(encoder.encode(open.substr(begin, size), open.substr(0, begin)));
  return segments;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string whole;
  for (const std::string& part : parts) whole += part;
  return whole;
}

TEST(FrameCodec, DecodesWhatItEncoded) {
  for (const Compression compression : k_compressions) {
    FrameEncoder encoder(compression);
    FrameDecoder decoder(compression);
    std::string open;
    for (const std::size_t size : {1U, 12U, 65'536U, 3'000'000U, 500U}) {
      const std::string text = text_of(size);
      const std::string stored = encoder.encode(text, {});
      const auto done = decoder.decode(stored, size, open);
      ASSERT_TRUE(done) << file_suffix(compression) << ' ' << size << ": " << done.error().text();
      EXPECT_TRUE(open == text) << file_suffix(compression) << ' ' << size;
    }
  }
}

TEST(FrameCodec, WhatDoesNotCompressIsStillAFrame) {
  std::string noise;
  std::uint32_t state = 1;
  for (int i = 0; i < 300'000; ++i) noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  for (const Compression compression : k_compressions) {
    const std::string stored = FrameEncoder(compression).encode(noise, {});
    EXPECT_LT(stored.size(), noise.size() + noise.size() / 100);
    EXPECT_TRUE(*decode(compression, stored, noise.size()) == noise);
  }
}

TEST(FrameCodec, SegmentsThatReferToEachOtherAreOneFrame) {
  const std::string text = text_of(400'000);
  for (const std::size_t size : {100U, 5000U, 70'000U, 300'000U}) {
    const auto open = decode(Compression::gz, joined(segments_of(text, size)), text.size());
    ASSERT_TRUE(open) << size << ": " << open.error().text();
    EXPECT_TRUE(*open == text) << size;
  }
}

TEST(FrameCodec, ASegmentGainsFromTheTextBeforeIt) {
  const std::string text = text_of(8000);
  FrameEncoder encoder(Compression::gz);
  const std::string_view history = std::string_view(text).substr(0, 7000), open = std::string_view(text).substr(7000);
  EXPECT_LT(encoder.encode(open, history).size(), encoder.encode(open, {}).size());
}

// So that a segment can be replaced in the middle: what stands behind it never refers to more of it than that.
TEST(FrameCodec, OnlyTheLast32KiBOfTheHistoryMatter) {
  const std::string end = text_of(k_deflate_history, 2), open = text_of(40'000, 3);
  FrameEncoder encoder(Compression::gz);
  const std::string stored = encoder.encode(open, end);
  EXPECT_TRUE(encoder.encode(open, text_of(100'000, 4) + end) == stored);
  const std::string before = encoder.encode(end, {});
  EXPECT_TRUE(*decode(Compression::gz, before + stored, end.size() + open.size()) == end + open);
}

TEST(FrameCodec, TheSameArgumentsGiveTheSameBytes) {
  const std::string text = text_of(700'000), history = text_of(50'000, 5);
  for (const Compression compression : k_compressions) {
    const std::string_view used = compression == Compression::gz ? std::string_view(history) : std::string_view();
    const std::string fresh = FrameEncoder(compression).encode(text, used);
    FrameEncoder worn(compression);
    for (std::uint32_t seed = 10; seed < 15; ++seed) worn.encode(text_of(100'000 * seed, seed), {});
    EXPECT_TRUE(worn.encode(text, used) == fresh) << file_suffix(compression);
  }
}

TEST(FrameCodec, ASegmentThatRefersToBytesBeforeItIsNoFrame) {
  const std::string text = text_of(20'000);
  const auto segments = segments_of(text, 10'000);
  EXPECT_TRUE(decode(Compression::gz, segments[0], 10'000));
  EXPECT_TRUE(is_corrupt(Compression::gz, segments[1], 10'000));
  EXPECT_TRUE(is_corrupt(Compression::gz, segments[1] + segments[0], 20'000));
}

TEST(FrameCodec, AnotherOpenSizeIsCorrupt) {
  const std::string text = text_of(5000);
  for (const Compression compression : k_compressions) {
    const std::string stored = FrameEncoder(compression).encode(text, {});
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{4999}, std::uint64_t{5001}, k_max_frame_size,
                                     k_max_frame_size + 1, ~std::uint64_t{0}})
      EXPECT_TRUE(is_corrupt(compression, stored, size)) << file_suffix(compression) << ' ' << size;
  }
}

TEST(FrameCodec, AnythingButOneWholeFrameIsCorrupt) {
  const std::string text = text_of(3000);
  for (const Compression compression : k_compressions) {
    const std::string stored = FrameEncoder(compression).encode(text, {});
    for (std::size_t size = 0; size < stored.size(); ++size)
      EXPECT_TRUE(is_corrupt(compression, stored.substr(0, size), text.size())) << file_suffix(compression) << size;
    for (const std::string& more : {std::string(1, '\0'), std::string("x"), stored})
      EXPECT_TRUE(is_corrupt(compression, stored + more, text.size())) << file_suffix(compression);
  }
}

TEST(FrameCodec, AFrameThatWouldEndTheGzipMemberIsCorrupt) {
  const std::string text = text_of(3000);
  const std::string stored = FrameEncoder(Compression::gz).encode(text, {}), final_block("\x03\0", 2);
  EXPECT_TRUE(is_corrupt(Compression::gz, stored + final_block, text.size()));
  EXPECT_TRUE(is_corrupt(Compression::gz, final_block, 0));
}

TEST(FrameCodec, OtherFramesOfZstdAreCorrupt) {
  const std::string skippable("\x5a\x2a\x4d\x18\x03\0\0\0abc", 11);
  const std::string stored = FrameEncoder(Compression::zstd).encode("<a/>", {});
  EXPECT_TRUE(is_corrupt(Compression::zstd, skippable, 0));
  EXPECT_TRUE(is_corrupt(Compression::zstd, skippable + stored, 4));
  EXPECT_TRUE(is_corrupt(Compression::zstd, stored + skippable, 4));
}

// By the checksum that a frame of zstd carries. That of gz stands in the table.
TEST(FrameCodec, AFlippedBitNeverGivesOtherBytesUnnoticed) {
  const std::string text = text_of(2000);
  for (const Compression compression : k_compressions) {
    const std::string stored = FrameEncoder(compression).encode(text, {});
    for (std::size_t bit = 0; bit < stored.size() * 8; ++bit) {
      std::string damaged = stored;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
      const auto open = decode(compression, damaged, text.size());
      if (!open) {
        EXPECT_EQ(open.error().kind, ErrorKind::corrupt);
      } else if (compression == Compression::zstd || crc32_of(*open) == crc32_of(text)) {
        EXPECT_TRUE(*open == text) << file_suffix(compression) << ' ' << bit;
      }
    }
  }
}

TEST(Crc32, OfTwoPiecesIsThatOfTheWhole) {
  EXPECT_EQ(crc32_of("123456789"), 0xcbf43926U);
  EXPECT_EQ(crc32_of(""), 0U);
  const std::string text = text_of(10'000);
  for (const std::size_t cut : {0U, 1U, 4096U, 9999U, 10'000U}) {
    const std::string first = text.substr(0, cut), second = text.substr(cut);
    EXPECT_EQ(combine_crc32(crc32_of(first), crc32_of(second), second.size()), crc32_of(text)) << cut;
  }
}

// Of 5 GiB of zeros, with a second size that 32 bits do not hold.
TEST(Crc32, CombinesLargeFiles) {
  constexpr std::uint64_t k_gib = 1U << 30;
  std::uint32_t crc = crc32_of(std::string(1024, '\0')), of_one_gib = 0;
  for (std::uint64_t size = 1024; size < 4 * k_gib; size *= 2) {
    if (size == k_gib) of_one_gib = crc;
    crc = combine_crc32(crc, crc, size);
  }
  EXPECT_EQ(combine_crc32(of_one_gib, crc, 4 * k_gib), combine_crc32(crc, of_one_gib, k_gib));
}

}  // namespace
}  // namespace repoupdate
