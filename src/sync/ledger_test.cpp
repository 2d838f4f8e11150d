// SPDX-License-Identifier: Apache-2.0
#include "sync/ledger.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

using std::chrono::seconds;
using Outcome = Ledger::Outcome;

const Receipt k_first{"q", "1", "h1"}, k_second{"q", "2", "h2"};
const Ledger::Target k_a{"repo", "a.rpm"}, k_b{"other", "b.rpm"};

SteadyTime at(int second) {
  return SteadyTime(seconds(second));
}

class LedgerTest : public testing::Test {
protected:
  bool open(const Receipt& receipt, const std::vector<Ledger::Target>& targets, Outcome outcome = Outcome::done) {
    return ledger.open({receipt, 1, false, {}}, targets, at(0), outcome);
  }
  Ledger::Settled settle(const Receipt& receipt, const Ledger::Target& target, Outcome outcome = Outcome::done) {
    Ledger::Settled settled;
    ledger.settle(std::vector{receipt}, target, outcome, settled);
    return settled;
  }
  static std::size_t total(const Ledger::Settled& settled) {
    return settled.done.size() + settled.postponed.size() + settled.failed.size();
  }

  Ledger ledger;
};

// I4: a message is acknowledged only after every change it named is visible.
TEST_F(LedgerTest, MessageIsDoneWhenItsLastKeyIs) {
  open(k_first, {k_a, k_b});
  EXPECT_EQ(total(settle(k_first, k_a)), 0u);
  EXPECT_EQ(settle(k_first, k_b).done, std::vector{k_first});
  EXPECT_EQ(ledger.count("q"), 0u);
}

TEST_F(LedgerTest, MessageEndsAsTheWorstOfItsKeys) {
  struct Case {
    Outcome rest, a, b, whole;
  };
  for (const auto& c : {
           Case{Outcome::done, Outcome::failed, Outcome::done, Outcome::failed},
           Case{Outcome::done, Outcome::postponed, Outcome::failed, Outcome::failed},
           Case{Outcome::done, Outcome::postponed, Outcome::done, Outcome::postponed},
           Case{Outcome::failed, Outcome::done, Outcome::done, Outcome::failed},
           Case{Outcome::postponed, Outcome::done, Outcome::done, Outcome::postponed},
       }) {
    open(k_first, {k_a, k_b}, c.rest);
    EXPECT_EQ(total(settle(k_first, k_a, c.a)), 0u);
    const auto settled = settle(k_first, k_b, c.b);
    EXPECT_EQ(total(settled), 1u);
    EXPECT_EQ(settled.failed.size(), c.whole == Outcome::failed ? 1u : 0u);
    EXPECT_EQ(settled.postponed.size(), c.whole == Outcome::postponed ? 1u : 0u);
    EXPECT_EQ(ledger.count("q"), 0u);
  }
}

TEST_F(LedgerTest, AFailedMessageTellsWhereAndHowOftenItCame) {
  ledger.open({k_first, 4, true, {}}, {k_a, k_b}, at(0));
  settle(k_first, k_b, Outcome::failed);
  const auto settled = settle(k_first, k_a);
  ASSERT_EQ(settled.failed.size(), 1u);
  EXPECT_EQ(settled.failed[0].receives, 4);
  EXPECT_TRUE(settled.failed[0].has_dead_letter_queue);
  EXPECT_EQ(settled.failed[0].failed_at, k_b);
}

// Semantics 7: receipt handles change with each delivery.
TEST_F(LedgerTest, RedeliveryRenewsTheHandleAndIsAcknowledgedOnce) {
  EXPECT_TRUE(open(k_first, {k_a}));
  EXPECT_FALSE(open({"q", "1", "newer"}, {k_a}));
  EXPECT_EQ(ledger.count("q"), 1u);
  EXPECT_EQ(settle(k_first, k_a).done, (std::vector{Receipt{"q", "1", "newer"}}));
  EXPECT_EQ(total(settle(k_first, k_a)), 0u);
}

TEST_F(LedgerTest, KeepsSourcesApart) {
  open(k_first, {k_a});
  open({"r", "1", "h9"}, {k_a});
  EXPECT_EQ(ledger.open_messages("q"), std::vector{k_first});
  EXPECT_EQ(ledger.count("q"), 1u);
  EXPECT_EQ(ledger.count("nobody"), 0u);
}

TEST_F(LedgerTest, OnlyWhatWasHiddenLongAgoIsDueToBeHiddenAnew) {
  ledger.open({k_first, 1, false, {}}, {k_a}, at(10));
  ledger.open({k_second, 1, false, {}}, {k_b}, at(30));
  EXPECT_EQ(ledger.hidden_before("q", at(20)), std::vector{k_first});
  ledger.hidden_anew(std::vector{k_first}, at(40));
  EXPECT_TRUE(ledger.hidden_before("q", at(20)).empty());
  EXPECT_EQ(ledger.hidden_before("q", at(35)), std::vector{k_second});
}

}  // namespace
}  // namespace repoupdate
