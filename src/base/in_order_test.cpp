// SPDX-License-Identifier: Apache-2.0
#include "base/in_order.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace repoupdate {
namespace {

constexpr int k_items = 500;

Error failure(std::string message) {
  return {ErrorKind::io, std::move(message), {}};
}

// The numbers below `count`.
auto counter(int count) {
  return [next = 0, count]() mutable -> Result<std::optional<int>> {
    return next < count ? std::optional(next++) : std::nullopt;
  };
}

// Work that takes now longer, now shorter, so that threads overtake each other.
void dawdle(int item) {
  if (item % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
}

TEST(InOrder, ProductsComeInTheOrderOfTheItems) {
  std::vector<int> expected(k_items);
  std::iota(expected.begin(), expected.end(), 0);
  for (const std::size_t threads : {0U, 1U, 2U, 8U}) {
    std::vector<std::string> found;
    const auto make_work = [] {
      return [](int item) -> Result<std::string> {
        dawdle(item);
        return std::to_string(item);
      };
    };
    const auto put = [&](std::string product) -> Result<void> {
      found.push_back(std::move(product));
      return {};
    };
    ASSERT_TRUE(process_in_order(threads, counter(k_items), make_work, put));
    ASSERT_EQ(found.size(), expected.size()) << threads;
    for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], std::to_string(expected[i]));
  }
}

TEST(InOrder, OneThreadIsTheCallers) {
  const auto caller = std::this_thread::get_id();
  const auto make_work = [&] {
    return [&](int item) -> Result<int> {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      return item;
    };
  };
  EXPECT_TRUE(process_in_order(1, counter(5), make_work, [](int) -> Result<void> { return {}; }));
}

TEST(InOrder, EachThreadWorksWithItsOwn) {
  std::atomic<int> made = 0;
  const auto make_work = [&] {
    return [busy = std::make_unique<std::atomic<bool>>(false), number = ++made](int item) -> Result<int> {
      EXPECT_FALSE(busy->exchange(true)) << number;
      dawdle(item);
      busy->store(false);
      return item;
    };
  };
  EXPECT_TRUE(process_in_order(4, counter(k_items), make_work, [](int) -> Result<void> { return {}; }));
  EXPECT_EQ(made, 4);
}

// Taken, but not yet put.
TEST(InOrder, NoMoreItemsThanThreadsAreInMemory) {
  for (const int threads : {1, 3}) {
    std::atomic<int> in_memory = 0, most = 0;
    auto next = counter(k_items);
    const auto take = [&] {
      auto item = next();
      if (*item) most = std::max<int>(most, ++in_memory);  // one thread at a time
      return item;
    };
    const auto make_work = [] {
      return [](int item) -> Result<int> {
        dawdle(item);
        return item;
      };
    };
    const auto put = [&](int) -> Result<void> {
      --in_memory;
      return {};
    };
    ASSERT_TRUE(process_in_order(static_cast<std::size_t>(threads), take, make_work, put));
    EXPECT_LE(most, threads);
  }
}

TEST(InOrder, TheFirstFailureInTheOrderOfTheItemsWins) {
  for (int round = 0; round < 20; ++round) {
    std::vector<int> found;
    const auto make_work = [] {
      return [](int item) -> Result<int> {
        if (item == 40) std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (item >= 40) return failure("item " + std::to_string(item));
        return item;
      };
    };
    const auto put = [&](int product) -> Result<void> {
      found.push_back(product);
      return {};
    };
    const auto done = process_in_order(4, counter(k_items), make_work, put);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().message, "item 40");
    EXPECT_EQ(found.size(), 40U) << "all before it, and nothing behind";
  }
}

TEST(InOrder, AFailureToPutEndsIt) {
  const auto make_work = [] { return [](int item) -> Result<int> { return item; }; };
  const auto put = [](int product) -> Result<void> {
    if (product == 10) return failure("full");
    EXPECT_LT(product, 10);
    return {};
  };
  for (const std::size_t threads : {1U, 4U})
    EXPECT_EQ(process_in_order(threads, counter(k_items), make_work, put).error().message, "full");
}

TEST(InOrder, AFailureToTakeComesAfterWhatWasTakenBefore) {
  for (const std::size_t threads : {1U, 4U}) {
    auto next = counter(k_items);
    int takes = 0, found = 0;
    const auto take = [&]() -> Result<std::optional<int>> {
      if (takes++ == 10) return failure("torn");
      return next();
    };
    const auto make_work = [] {
      return [](int item) -> Result<int> {
        dawdle(item);
        return item;
      };
    };
    const auto put = [&](int) -> Result<void> {
      ++found;
      return {};
    };
    EXPECT_EQ(process_in_order(threads, take, make_work, put).error().message, "torn");
    EXPECT_EQ(found, 10);
    EXPECT_EQ(takes, 11) << "it is not asked again";
  }
}

TEST(InOrder, NothingToTakeIsNoWork) {
  const auto make_work = [] { return [](int) -> Result<int> { return failure("there was an item"); }; };
  EXPECT_TRUE(process_in_order(4, counter(0), make_work, [](int) -> Result<void> { return {}; }));
}

}  // namespace
}  // namespace repoupdate
