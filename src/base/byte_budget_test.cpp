// SPDX-License-Identifier: Apache-2.0
#include "base/byte_budget.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace repoupdate {
namespace {

TEST(ByteBudget, IsNeverExceeded) {
  ByteBudget budget(100);
  std::atomic<int> held = 0, most = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        for (int round = 0; round < 200; ++round) {
          const auto share = budget.take(40);
          const int now = held += 40;
          for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
          held -= 40;
        }
      });
  }
  EXPECT_LE(most, 80);
}

TEST(ByteBudget, WhatIsLargerThanAllGetsAll) {
  ByteBudget budget(10);
  { const auto share = budget.take(1'000'000); }
  const auto again = budget.take(10);
}

}  // namespace
}  // namespace repoupdate
