// SPDX-License-Identifier: Apache-2.0
#include "repodata/decoder.hpp"

#include <bzlib.h>
#include <gtest/gtest.h>
#include <lzma.h>

#include <functional>
#include <string>
#include <vector>

#include "repodata/whole_file.hpp"

namespace repoupdate {
namespace {

std::string text_of(std::size_t size) {
  std::string text = "<metadata>";
  std::uint32_t state = 1;
  while (text.size() < size) {
    state = state * 1664525 + 1013904223;
    text += std::to_string(state % 1000) + (state % 7 == 0 ? "<package>" : " ");
  }
  return text;
}

std::string xz(std::string_view text) {
  std::string out(lzma_stream_buffer_bound(text.size()), '\0');
  std::size_t size = 0;
  lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                          reinterpret_cast<std::uint8_t*>(out.data()), &size, out.size());
  out.resize(size);
  return out;
}

std::string bzip2(std::string_view text) {
  unsigned size = static_cast<unsigned>(text.size() + text.size() / 50 + 700);
  std::string out(size, '\0');
  BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()), static_cast<unsigned>(text.size()), 9, 0,
                           0);
  out.resize(size);
  return out;
}

Result<std::string> decode(std::string_view stored, std::uint64_t limit = k_max_open_metadata_size) {
  std::string open;
  Decoder decoder(stored, limit);
  for (;;) {
    const auto piece = decoder.next();
    if (!piece) return piece.error();
    if (piece->empty()) return open;
    open += *piece;
  }
}

struct Format {
  std::string name;
  std::function<std::string(std::string_view)> encode;
};
const std::vector<Format> k_formats{
    {"gzip", sample::whole_gzip}, {"zstd", sample::whole_zstd}, {"xz", xz}, {"bzip2", bzip2}};

TEST(Decoder, ReadsEveryFormatByItsMagic) {
  const std::string text = text_of(1'000'000);
  for (const auto& format : k_formats) {
    const auto open = decode(format.encode(text));
    ASSERT_TRUE(open) << format.name << ": " << open.error().text();
    EXPECT_TRUE(*open == text) << format.name;
  }
  for (const std::string& plain : {text, "\xef\xbb\xbf" + text, "\n" + text}) EXPECT_TRUE(*decode(plain) == plain);
}

TEST(Decoder, ReadsAllMembersAndIgnoresZeroPadding) {
  const std::string first = text_of(100'000), second = text_of(5);
  for (const auto& format : k_formats) {
    const std::string stored = format.encode(first) + format.encode("") + format.encode(second);
    const auto open = decode(stored + std::string(512, '\0'));
    ASSERT_TRUE(open) << format.name << ": " << open.error().text();
    EXPECT_TRUE(*open == first + second) << format.name;
  }
}

TEST(Decoder, ReadsSkippableZstdFramesAnywhere) {
  const std::string skippable("\x53\x2a\x4d\x18\x03\0\0\0abc", 11);
  const auto open = decode(skippable + sample::whole_zstd("<a>") + skippable + sample::whole_zstd("</a>") + skippable);
  ASSERT_TRUE(open) << open.error().text();
  EXPECT_EQ(*open, "<a></a>");
}

TEST(Decoder, TruncatedInputIsCorruptWhereverItEnds) {
  const std::string text = text_of(3000);
  for (const auto& format : k_formats) {
    const std::string stored = format.encode(text);
    for (std::size_t size = 6; size < stored.size(); ++size) {
      const auto open = decode(std::string_view(stored).substr(0, size));
      ASSERT_TRUE(open.failed_with(ErrorKind::corrupt)) << format.name << " cut at " << size;
    }
  }
}

TEST(Decoder, DamagedInputIsCorrupt) {
  const std::string text = text_of(30'000);
  for (const auto& format : k_formats) {
    if (format.name == "zstd") continue;  // written without a checksum here
    std::string stored = format.encode(text);
    stored[stored.size() / 2] ^= 0x10;
    EXPECT_TRUE(decode(stored).failed_with(ErrorKind::corrupt)) << format.name;
  }
}

TEST(Decoder, SomethingElseBehindTheDataIsCorrupt) {
  for (const auto& format : k_formats)
    EXPECT_TRUE(decode(format.encode("<a/>") + "garbage").failed_with(ErrorKind::corrupt)) << format.name;
  EXPECT_TRUE(decode(sample::whole_gzip("<a/>") + xz("<a/>")).failed_with(ErrorKind::corrupt));
}

TEST(Decoder, RefusesWhatItDoesNotKnow) {
  EXPECT_TRUE(decode("").failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(decode(std::string_view("\0ZCK1", 5)).failed_with(ErrorKind::unsupported));
  EXPECT_TRUE(decode("SQLite format 3").failed_with(ErrorKind::unsupported));
}

TEST(Decoder, StopsAtTheLimitOfOpenBytes) {
  const std::string bomb = sample::whole_gzip(std::string(10'000'000, ' '));
  EXPECT_TRUE(decode(bomb, 10'000'000));
  EXPECT_TRUE(decode(bomb, 9'999'999).failed_with(ErrorKind::unsupported));
}

}  // namespace
}  // namespace repoupdate
