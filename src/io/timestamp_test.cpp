// SPDX-License-Identifier: Apache-2.0
#include "io/timestamp.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

constexpr SystemTime k_time{std::chrono::seconds(1'769'903'999)};  // 2026-01-31T23:59:59Z

TEST(Timestamp, WritesTheBasicForm) {
  EXPECT_EQ(to_basic_iso8601(k_time), "20260131T235959Z");
}

TEST(Timestamp, ReadsIso8601WithAndWithoutAFraction) {
  EXPECT_EQ(parse_iso8601("2026-01-31T23:59:59Z"), k_time);
  EXPECT_EQ(parse_iso8601("2026-01-31T23:59:59.123Z"), k_time);
  EXPECT_EQ(parse_iso8601("2026-01-31T23:59:59.123456"), k_time);
}

TEST(Timestamp, ReadsIso8601ToTheMillisecond) {
  const auto second = *parse_iso8601("2026-01-31T23:59:59Z");
  const auto at = [&](const char* fraction) {
    return parse_exact_iso8601("2026-01-31T23:59:59" + std::string(fraction));
  };
  EXPECT_EQ(at("Z"), second);
  EXPECT_EQ(at(".5Z"), second + std::chrono::milliseconds(500));
  EXPECT_EQ(at(".007999Z"), second + std::chrono::milliseconds(7));
  EXPECT_EQ(at(".Z"), second);
  EXPECT_EQ(at("x"), std::nullopt);
}

TEST(Timestamp, ReadsAnHttpDate) {
  EXPECT_EQ(parse_http_date("Sat, 31 Jan 2026 23:59:59 GMT"), k_time);
}

TEST(Timestamp, RefusesWhatIsNoTime) {
  for (const char* text :
       {"", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T23:59:59+01:00",
        "2026-01-31 23:59:59Z", "2O26-01-31T23:59:59Z", "2026--1-31T23:59:59Z"})
    EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
  for (const char* text : {"", "Sat, 31 Jam 2026 23:59:59 GMT", "Sat, 31 Jan 2026 23:59:59 CET", "Saturday, 31-Jan-26"})
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
}

}  // namespace
}  // namespace repoupdate
