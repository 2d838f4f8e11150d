// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>

namespace repoupdate {
namespace {

TEST(TryEachParallel, DoesAllAndReturnsTheFirstFailure) {
  std::atomic<int> done = 0;
  const auto outcome = try_each_parallel(20, 4, [&](std::size_t i) -> Result<void> {
    ++done;
    if (i % 7 == 3) return Error{ErrorKind::io, std::to_string(i), {}};
    return {};
  });
  EXPECT_EQ(done, 20);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "3");
  EXPECT_TRUE(try_each_parallel(20, 4, [](std::size_t) { return Result<void>(); }));
}

}  // namespace
}  // namespace repoupdate
