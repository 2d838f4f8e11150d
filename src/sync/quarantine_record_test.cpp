// SPDX-License-Identifier: Apache-2.0
#include "sync/quarantine_record.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

constexpr SystemTime k_noon{std::chrono::seconds(1'790'000'000)};

QuarantineRecord record_of(const std::string& href) {
  return {.href = href,
          .size = 5'000'000'000,
          .etag = {"\"0123-7\""},
          .kind = ErrorKind::corrupt,
          .reason = "not an RPM package: \"hello\"\n\xc3\xa9 \x01",
          .since = k_noon,
          .tried = k_noon + std::chrono::hours(25),
          .tries = 7,
          .judge = "0.1.0 ab",
          .stands = true,
          .is_listed = true};
}

QuarantineRecords records_of(std::initializer_list<std::string> hrefs) {
  QuarantineRecords records;
  for (const auto& href : hrefs) records[href] = record_of(href);
  return records;
}

TEST(QuarantineRecord, WhatIsWrittenIsReadAgain) {
  QuarantineRecords records = records_of({"a.rpm", "sub/\xc3\xa9 \"quoted\".rpm"});
  records["b.rpm"] = {.href = "b.rpm", .kind = ErrorKind::denied, .reason = "403", .since = k_noon, .tried = k_noon};
  const auto read = parse_quarantine(to_json(records));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, records);
}

TEST(QuarantineRecord, NoRecordsAreNoBytes) {
  EXPECT_EQ(to_json(QuarantineRecords{}), "");
  EXPECT_EQ(parse_quarantine(""), QuarantineRecords{});
}

TEST(QuarantineRecord, AnotherFormatIsNotTakenForOurs) {
  const std::string json = to_json(records_of({"a.rpm", "b.rpm"}));
  EXPECT_FALSE(parse_quarantine(json.substr(0, json.size() / 2)));
  EXPECT_FALSE(parse_quarantine("[]"));
  for (const auto& [from, to] :
       {std::pair("\"format\": 1", "\"format\": 2"), std::pair("a.rpm", "../a.tar"), std::pair("corrupt", "wrong"),
        std::pair("\"tries\":7", "\"tries\":-7"), std::pair("-21T", "-41T"), std::pair("\"size\":5", "\"size\":x")}) {
    std::string other = json;
    const auto found = other.find(from);
    ASSERT_NE(found, std::string::npos) << from;
    other.replace(found, std::string_view(from).size(), to);
    EXPECT_FALSE(parse_quarantine(other)) << to;
  }
}

TEST(QuarantineRecord, AChangedObjectIsAnother) {
  const QuarantineRecord record = record_of("a.rpm");
  EXPECT_TRUE(is_of(record, {.size = 5'000'000'000, .etag = {"\"0123-7\""}}));
  EXPECT_TRUE(is_of(record, {.size = 5'000'000'000, .etag = {"0123-7"}})) << "a listing without quotes";
  EXPECT_FALSE(is_of(record, {.size = 4'999'999'999, .etag = {"\"0123-7\""}}));
  EXPECT_FALSE(is_of(record, {.size = 5'000'000'000, .etag = {"\"0123-8\""}}));
  EXPECT_FALSE(is_of({.href = "a.rpm"}, {})) << "never seen";
}

TEST(QuarantineRecord, ItNeverGrowsBeyondItsBounds) {
  QuarantineRecords many, large;
  for (std::size_t i = 0; i < k_max_quarantined + 10; ++i) {
    const std::string href = std::to_string(100'000 + i) + ".rpm";
    many[href] = {.href = href, .since = k_noon, .tried = k_noon};
    const std::string long_href = std::string(900, '\x01') + href;
    large[long_href] = {.href = long_href, .reason = std::string(900, '\x01'), .since = k_noon, .tried = k_noon};
  }
  const auto kept = parse_quarantine(to_json(many));
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->size(), k_max_quarantined);
  const std::string json = to_json(large);
  EXPECT_LE(json.size(), k_max_quarantine_size);
  EXPECT_TRUE(parse_quarantine(json));
}

}  // namespace
}  // namespace repoupdate
