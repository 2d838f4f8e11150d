// SPDX-License-Identifier: Apache-2.0
#include "rpm/header_range.hpp"

#include <gtest/gtest.h>

#include <string>

namespace repoupdate {
namespace {

std::string u32(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
  return bytes;
}

std::string intro(std::uint32_t entries, std::uint32_t data) {
  return std::string("\x8e\xad\xe8\x01\0\0\0\0", 8) + u32(entries) + u32(data);
}

std::string lead() {
  return "\xed\xab\xee\xdb" + std::string(92, '\0');
}

struct Shape {
  std::uint32_t signature_entries = 7, signature_data = 4269;
  std::uint32_t header_entries = 40, header_data = 3001;
  std::size_t payload = 1000;
};

std::string signature(const Shape& shape) {
  std::string bytes = intro(shape.signature_entries, shape.signature_data);
  bytes.append(16 * shape.signature_entries + shape.signature_data, 's');
  bytes.append((8 - shape.signature_data % 8) % 8, '\0');
  return bytes;
}

std::string package(const Shape& shape) {
  std::string bytes = lead() + signature(shape) + intro(shape.header_entries, shape.header_data);
  bytes.append(16 * shape.header_entries + shape.header_data, 'h');
  return bytes.append(shape.payload, 'p');
}

// 96 + 16 + 7*16 + 4269 = 4493, padded to 4496; then 16 + 40*16 + 3001.
constexpr HeaderRange k_range{4496, 4496 + 3657};

std::string failure_of(std::string_view bytes, std::uint64_t file_size) {
  const auto probe = probe_header(bytes, file_size);
  if (probe) return "no failure";
  EXPECT_EQ(probe.error().kind, ErrorKind::corrupt);
  return probe.error().message;
}

TEST(HeaderRange, IsFoundInTheFirstRead) {
  const auto file = package({});
  const auto probe = probe_header(file, file.size());
  ASSERT_TRUE(probe) << probe.error().message;
  EXPECT_EQ(probe->range, k_range);
  EXPECT_EQ(probe->need, k_range.end);
  EXPECT_TRUE(probe->complete(file.size()));
}

TEST(HeaderRange, PadsTheSignatureToEightBytes) {
  for (std::uint32_t data = 4264; data <= 4272; ++data) {
    const auto file = package({.signature_data = data});
    const auto probe = probe_header(file, file.size());
    ASSERT_TRUE(probe) << data << ": " << probe.error().message;
    EXPECT_EQ(probe->range->start, data <= 4264 ? 4488u : data <= 4272 ? 4496u : 0u) << data;
  }
}

TEST(HeaderRange, FirstReadIsTheWholeOfASmallFile) {
  EXPECT_EQ(probe_header("", 10'000'000)->need, k_first_read);
  EXPECT_EQ(probe_header("", 9'000)->need, 9'000u);
}

TEST(HeaderRange, NeedGrowsUntilTheHeaderIsThereWhateverIsKnown) {
  const auto file = package({});
  for (std::size_t known = 0; known <= file.size(); ++known) {
    const auto probe = probe_header(std::string_view(file).substr(0, known), file.size());
    ASSERT_TRUE(probe) << known << ": " << probe.error().message;
    EXPECT_EQ(probe->range.has_value(), known >= k_range.start + 16) << known;
    EXPECT_EQ(probe->complete(known), known >= k_range.end) << known;
    EXPECT_TRUE(probe->complete(known) || probe->need > known) << known;
    EXPECT_LE(probe->need, file.size()) << known;
  }
}

TEST(HeaderRange, HeaderBehindALargeSignatureTakesOneMoreRead) {
  const auto file = package({.signature_data = 200'000, .payload = 300'000});
  const auto first = probe_header(std::string_view(file).substr(0, k_first_read), file.size());
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->range);
  const auto second = probe_header(std::string_view(file).substr(0, first->need), file.size());
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->complete(first->need));
}

TEST(HeaderRange, LargeHeaderTakesOneMoreExactRead) {
  const auto file = package({.header_data = 500'000});
  const auto probe = probe_header(std::string_view(file).substr(0, k_first_read), file.size());
  ASSERT_TRUE(probe);
  EXPECT_EQ(probe->range, (HeaderRange{4496, 4496 + 16 + 640 + 500'000}));
  EXPECT_EQ(probe->need, probe->range->end);
  EXPECT_FALSE(probe->complete(k_first_read));
}

TEST(HeaderRange, AFileThatEndsTooEarlySaysWhere) {
  const auto file = package({.payload = 0});
  struct Row {
    std::size_t size;
    const char* message;
  };
  const Row rows[] = {
      {0, "not an RPM package: the file is empty"},
      {1, "truncated: the signature intro ends at byte 112, the file has 1"},
      {96, "truncated: the signature intro ends at byte 112, the file has 96"},
      {111, "truncated: the signature intro ends at byte 112, the file has 111"},
      {112, "truncated: the header intro ends at byte 4512, the file has 112"},
      {4511, "truncated: the header intro ends at byte 4512, the file has 4511"},
      {4512, "truncated: the header ends at byte 8153, the file has 4512"},
      {8152, "truncated: the header ends at byte 8153, the file has 8152"},
      {8153, "no failure"},  // nothing but the payload is missing
  };
  for (const auto& row : rows) {
    EXPECT_EQ(failure_of(std::string_view(file).substr(0, row.size), row.size), row.message) << row.size;
    EXPECT_EQ(failure_of(file, row.size), row.message) << row.size << ", more bytes than the file has";
  }
}

TEST(HeaderRange, RefusesWhatIsNoPackage) {
  const auto not_a_package = [](std::string_view bytes) { return failure_of(bytes, 100'000); };
  EXPECT_EQ(not_a_package("This is a text file that somebody called .rpm"), "not an RPM package: no lead magic");
  EXPECT_EQ(not_a_package("\xed\xab\xee\xdc"), "not an RPM package: no lead magic");
  EXPECT_EQ(not_a_package("\xed\xab?"), "not an RPM package: no lead magic");

  auto bad_signature = package({});
  bad_signature[96] = 'x';
  EXPECT_EQ(not_a_package(bad_signature), "not an RPM package: no signature magic at byte 96");
  auto bad_header = package({});
  bad_header[k_range.start + 3] = '\x02';
  EXPECT_EQ(not_a_package(bad_header), "not an RPM package: no header magic at byte 4496");
}

TEST(HeaderRange, RefusesAbsurdCountsWithoutOverflow) {
  constexpr std::uint64_t k_huge_file = std::uint64_t{1} << 50;
  constexpr std::uint32_t k_counts[][2] = {{0, 100}, {0xffffffff, 0xffffffff}, {0x10000000, 0}, {1, 0x80000000}};
  for (const auto& [entries, data] : k_counts) {
    const auto in_signature = lead() + intro(entries, data);
    EXPECT_NE(failure_of(in_signature, k_huge_file).find("the signature claims"), std::string::npos) << entries;
    const auto in_header = lead() + signature({}) + intro(entries, data);
    EXPECT_NE(failure_of(in_header, k_huge_file).find("the header claims"), std::string::npos) << entries;
  }
}

TEST(HeaderRange, RefusesAHeaderThatEndsBeyondTheLimit) {
  constexpr std::uint64_t k_file = 2 * k_max_header_end;
  const auto start = lead() + signature({});
  const auto fits = static_cast<std::uint32_t>(k_max_header_end - k_range.start - 16 - 16);
  const auto last = probe_header(start + intro(1, fits), k_file);
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->range->end, k_max_header_end);
  EXPECT_EQ(failure_of(start + intro(1, fits + 1), k_file),
            "the header claims 1 entries and " + std::to_string(fits + 1) +
                " bytes, more than the 64 MiB that are read of a package");
}

}  // namespace
}  // namespace repoupdate
