// SPDX-License-Identifier: Apache-2.0
#include "io/clock_skew.hpp"

#include <gtest/gtest.h>

#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* k_date = "Sat, 31 Jan 2026 23:59:59 GMT";

TEST(ClockSkew, IsCorrectedWhereItExplainsTheRefusal) {
  const SystemTime theirs = *parse_http_date(k_date);
  const struct {
    seconds behind;  // our clock
    seconds signed_with;
    std::optional<seconds> corrected;
  } cases[] = {
      {seconds(0), seconds(0), std::nullopt},   {minutes(5) - seconds(1), seconds(0), std::nullopt},
      {minutes(5), seconds(0), minutes(5)},     {minutes(-20), seconds(0), minutes(-20)},
      {minutes(20), minutes(20), std::nullopt}, {seconds(0), minutes(20), seconds(0)},
  };
  HttpResponse refusal;
  refusal.headers = {{"date", k_date}};
  for (const auto& c : cases)
    EXPECT_EQ(corrected_offset(refusal, theirs - c.behind, c.signed_with), c.corrected)
        << c.behind.count() << ' ' << c.signed_with.count();
}

TEST(ClockSkew, IsUnknownWithoutADate) {
  EXPECT_EQ(corrected_offset({}, SystemTime{}, minutes(20)), std::nullopt);
}

}  // namespace
}  // namespace repoupdate
