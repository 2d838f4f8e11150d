// SPDX-License-Identifier: Apache-2.0
#include "base/send_rate.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace repoupdate {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr SteadyTime k_start{std::chrono::hours(1)};

SteadyTime at(int after_ms) {
  return k_start + milliseconds(after_ms);
}

// Sends as many requests as the rate lets through between two times.
int send_until(SendRate& rate, SteadyTime now, SteadyTime end) {
  int sent = 0;
  for (;; ++sent) {
    const auto place = rate.reserve(now);
    if (place.at >= end) return sent;
    now = place.at;
    EXPECT_TRUE(rate.leave(place, now));
  }
}

// A hundred requests in one second, the last of which is refused.
SendRate cut_to_fifty() {
  SendRate rate;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(rate.leave(rate.reserve(at(i * 10)), at(i * 10)));
  rate.refused(at(990), at(995), std::nullopt);
  return rate;
}

TEST(SendRate, LimitsNothingBeforeARefusal) {
  SendRate rate;
  for (int i = 0; i < 10'000; ++i) {
    const auto place = rate.reserve(k_start);
    EXPECT_EQ(place.at, k_start);
    EXPECT_TRUE(rate.leave(place, k_start));
  }
  EXPECT_EQ(rate.rate(k_start), std::nullopt);
}

TEST(SendRate, HalvesWhatWasSent) {
  EXPECT_DOUBLE_EQ(*cut_to_fifty().rate(at(995)), 50);
}

TEST(SendRate, SpacesTheRequestsOfEverybody) {
  SendRate rate = cut_to_fifty();
  std::vector<SteadyTime> places;
  for (int i = 0; i < 3; ++i) places.push_back(rate.reserve(at(995)).at);
  EXPECT_EQ(places[0], at(1015));
  EXPECT_GT(places[1], at(1034));
  EXPECT_LT(places[1], at(1036));
  EXPECT_GT(places[2], at(1053));
}

TEST(SendRate, OneBurstOfRefusalsCutsOnce) {
  SendRate rate = cut_to_fifty();
  for (int i = 0; i < 30; ++i) rate.refused(at(900 + i), at(1000 + i), std::nullopt);
  EXPECT_GE(*rate.rate(at(1030)), 50);
}

TEST(SendRate, RefusalAtTheLowerRateCutsAgain) {
  SendRate rate = cut_to_fifty();
  const auto place = rate.reserve(at(995));
  ASSERT_TRUE(rate.leave(place, place.at));
  rate.refused(place.at, at(1020), std::nullopt);
  EXPECT_NEAR(*rate.rate(at(1020)), 25, 1);
}

TEST(SendRate, RecoversByAdditionUntilThereIsNoLimit) {
  const SendRate rate = cut_to_fifty();
  EXPECT_DOUBLE_EQ(*rate.rate(at(995 + 1000)), 60);
  EXPECT_DOUBLE_EQ(*rate.rate(at(995 + 10'000)), 150);
  EXPECT_EQ(rate.rate(at(995 + 95'000)), std::nullopt);
}

TEST(SendRate, KeepsALeastRateHoweverOftenItIsRefused) {
  SendRate rate;
  SteadyTime now = k_start;
  for (int i = 0; i < 50; ++i) {
    const auto place = rate.reserve(now);
    now = place.at;
    ASSERT_TRUE(rate.leave(place, now));
    rate.refused(now, now, std::nullopt);
    EXPECT_GE(*rate.rate(now), 4);
  }
  EXPECT_LE(*rate.rate(now), 5);
}

// What this is for: a service that takes 20 a second is refused little, not ten times as often as it answers.
TEST(SendRate, SettlesAtWhatTheServiceTakes) {
  SendRate rate;
  SteadyTime now = k_start;
  int taken = 0, refused = 0, this_second = 0;
  SteadyTime second = now;
  while (now < k_start + seconds(60)) {
    const auto place = rate.reserve(now);
    now = std::max(place.at, now + milliseconds(1));  // one after the other, each a millisecond
    if (!rate.leave(place, now)) continue;
    if (now - second >= seconds(1)) {
      second = now;
      this_second = 0;
    }
    if (++this_second <= 20) {
      ++taken;
    } else {
      ++refused;
      rate.refused(now, now, std::nullopt);
    }
  }
  EXPECT_GT(taken, 60 * 10);
  EXPECT_LT(refused, taken / 5);
}

TEST(SendRate, PauseThatTheServiceAsksForHoldsForAll) {
  SendRate rate = cut_to_fifty();
  const auto waiting = rate.reserve(at(995));
  rate.refused(at(990), at(1000), seconds(3));  // of the same burst
  EXPECT_FALSE(rate.leave(waiting, waiting.at)) << "it would leave in the pause";
  EXPECT_GE(rate.reserve(at(1015)).at, at(4000));
  EXPECT_EQ(send_until(rate, at(1015), at(4000)), 0);
}

TEST(SendRate, PauseHasALimit) {
  SendRate rate;
  ASSERT_TRUE(rate.leave(rate.reserve(k_start), k_start));
  rate.refused(k_start, k_start, std::chrono::hours(24));
  EXPECT_EQ(rate.reserve(k_start).at, k_start + seconds(20));
}

}  // namespace
}  // namespace repoupdate
