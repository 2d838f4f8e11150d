// SPDX-License-Identifier: Apache-2.0
#include "base/retry.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

using std::chrono::seconds;

TEST(RetryDelay, DoublesUpToTheCeiling) {
  const RetryPolicy policy{.attempts = 9, .base = Duration(100), .ceiling = seconds(1)};
  EXPECT_EQ(retry_delay(policy, 1, 1.0), Duration(100));
  EXPECT_EQ(retry_delay(policy, 2, 1.0), Duration(200));
  EXPECT_EQ(retry_delay(policy, 4, 1.0), Duration(800));
  EXPECT_EQ(retry_delay(policy, 5, 1.0), seconds(1));
  EXPECT_EQ(retry_delay(policy, 1'000'000, 1.0), seconds(1));
}

TEST(RetryDelay, JitterReachesDownToZero) {
  const RetryPolicy policy;
  EXPECT_EQ(retry_delay(policy, 3, 0.0), Duration(0));
  EXPECT_EQ(retry_delay(policy, 3, 0.5), Duration(200));
}

TEST(RetryDelay, ServerHintIsALowerBoundWithinTheCeiling) {
  const RetryPolicy policy{.attempts = 3, .base = Duration(100), .ceiling = seconds(20)};
  EXPECT_EQ(retry_delay(policy, 1, 0.0, seconds(3)), seconds(3));
  EXPECT_EQ(retry_delay(policy, 1, 0.0, seconds(3600)), seconds(20));
}

TEST(RetryQuota, IsSpentByRetriesAndTwiceAsFastByTimeouts) {
  RetryQuota quota;
  EXPECT_EQ(quota.pay(false), 5);
  EXPECT_EQ(quota.pay(true), 10);
  EXPECT_EQ(quota.left(), 485);
  for (int i = 0; i < 97; ++i) EXPECT_TRUE(quota.pay(false)) << i;
  EXPECT_EQ(quota.pay(false), std::nullopt);
  EXPECT_EQ(quota.left(), 0);
}

TEST(RetryQuota, SuccessGivesBackWhatItsRetryCostOrOne) {
  RetryQuota quota;
  const int paid = *quota.pay(true);
  quota.succeeded(0);
  EXPECT_EQ(quota.left(), 491);
  quota.succeeded(paid);
  EXPECT_EQ(quota.left(), 500) << "never more than at the start";
  while (quota.pay(false)) {
  }
  for (int i = 0; i < 4; ++i) quota.succeeded(0);
  EXPECT_EQ(quota.pay(false), std::nullopt);
  quota.succeeded(0);
  EXPECT_EQ(quota.pay(false), 5);
}

}  // namespace
}  // namespace repoupdate
