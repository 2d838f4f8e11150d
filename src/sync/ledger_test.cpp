// SPDX-License-Identifier: Apache-2.0
#include "sync/ledger.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

const Receipt k_first{"q", "1", "h1"};
const Ledger::Target k_a{"repo", "a.rpm"}, k_b{"other", "b.rpm"};

// I4: a message is acknowledged only after every change it named is visible.
TEST(Ledger, MessageIsDoneWhenItsLastKeyIs) {
  Ledger ledger;
  ledger.open(k_first, {k_a, k_b});
  EXPECT_TRUE(ledger.settle(std::vector{k_first}, k_a, true).empty());
  EXPECT_EQ(ledger.settle(std::vector{k_first}, k_b, true), std::vector{k_first});
  EXPECT_TRUE(ledger.open_messages("q").empty());
}

TEST(Ledger, MessageWithAFailedKeyIsLeftToComeBack) {
  Ledger ledger;
  ledger.open(k_first, {k_a, k_b});
  EXPECT_TRUE(ledger.settle(std::vector{k_first}, k_a, false).empty());
  EXPECT_TRUE(ledger.settle(std::vector{k_first}, k_b, true).empty());
  EXPECT_TRUE(ledger.open_messages("q").empty());
}

// Semantics 7: receipt handles change with each delivery.
TEST(Ledger, RedeliveryRenewsTheHandleAndIsAcknowledgedOnce) {
  Ledger ledger;
  ledger.open(k_first, {k_a});
  ledger.open({"q", "1", "h2"}, {k_a});
  EXPECT_EQ(ledger.settle(std::vector{k_first}, k_a, true), (std::vector{Receipt{"q", "1", "h2"}}));
  EXPECT_TRUE(ledger.settle(std::vector{k_first}, k_a, true).empty());
}

TEST(Ledger, KeepsSourcesApart) {
  Ledger ledger;
  ledger.open(k_first, {k_a});
  ledger.open({"r", "1", "h9"}, {k_a});
  EXPECT_EQ(ledger.open_messages("q"), std::vector{k_first});
}

}  // namespace
}  // namespace repoupdate
