// SPDX-License-Identifier: Apache-2.0
#include "io/send_gate.hpp"

#include <gtest/gtest.h>

#include "testkit/fake_clock.hpp"

namespace repoupdate {
namespace {

using std::chrono::seconds;

TEST(SendGate, RefusalHoldsBackWhoeverSendsToThatHost) {
  FakeClock clock;
  SendGate gate(clock);
  const auto first = gate.pass("a", {});
  ASSERT_TRUE(first);
  gate.refused("a", *first, seconds(3));
  EXPECT_LT(*gate.pass("b", {}) - *first, seconds(1)) << "another host is none the slower";
  EXPECT_GE(*gate.pass("a", {}) - *first, seconds(3));
}

TEST(SendGate, WaitsNoLongerThanItMay) {
  FakeClock clock;
  SendGate gate(clock);
  gate.refused("a", *gate.pass("a", {}), seconds(3));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(gate.pass("a", stop.get_token()));
}

TEST(SendGate, DoesNotWaitForATurnThatComesTooLate) {
  FakeClock clock;
  SendGate gate(clock);
  const SteadyTime first = *gate.pass("a", {});
  gate.refused("a", first, seconds(3));
  EXPECT_FALSE(gate.pass("a", {}, first + seconds(2)));
  EXPECT_EQ(clock.steady(), first);
  EXPECT_TRUE(gate.pass("a", {}, first + seconds(5)));
}

TEST(SendGate, CountsRetriesByHost) {
  FakeClock clock;
  SendGate gate(clock);
  while (gate.pay_for_retry("a", true)) {
  }
  EXPECT_TRUE(gate.pay_for_retry("b", true));
  gate.succeeded("a", 10);
  EXPECT_TRUE(gate.pay_for_retry("a", true));
}

}  // namespace
}  // namespace repoupdate
