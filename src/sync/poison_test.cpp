// SPDX-License-Identifier: Apache-2.0
#include "sync/poison.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Semantics 9.
TEST(Poison, IsParkedAfterItsDeliveriesWhereNoDeadLetterQueueTakesIt) {
  const PoisonPolicy policy{.park_after = 3};
  struct Case {
    int receives;
    bool has_dead_letter_queue;
    PoisonVerdict verdict;
  };
  for (const auto& c : {
           Case{1, false, PoisonVerdict::tried_again},
           Case{2, false, PoisonVerdict::tried_again},
           Case{3, false, PoisonVerdict::parked},
           Case{900, false, PoisonVerdict::parked},
           Case{0, false, PoisonVerdict::tried_again},
           Case{1, true, PoisonVerdict::left_to_the_queue},
           Case{900, true, PoisonVerdict::left_to_the_queue},
       })
    EXPECT_EQ(judge_poison(policy, c.receives, c.has_dead_letter_queue), c.verdict) << c.receives;
}

TEST(Poison, WaitsTwiceAsLongEachTimeUpToAnHour) {
  const PoisonPolicy policy{.visibility = seconds(120)};
  EXPECT_EQ(poison_delay(policy, 0), minutes(2));
  EXPECT_EQ(poison_delay(policy, 1), minutes(2));
  EXPECT_EQ(poison_delay(policy, 2), minutes(4));
  EXPECT_EQ(poison_delay(policy, 5), minutes(32));
  EXPECT_EQ(poison_delay(policy, 6), hours(1));
  EXPECT_EQ(poison_delay(policy, 1'000'000), hours(1));
  EXPECT_EQ(poison_delay({.visibility = hours(2)}, 9), hours(2));
}

}  // namespace
}  // namespace repoupdate
