// SPDX-License-Identifier: Apache-2.0
#include "sync/receiver_count.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(ReceiverCount, GrowsWithABacklogAndShrinksToOneLongPoll) {
  ReceiverCount count(3);
  EXPECT_EQ(count.wanted(), 1u);
  count.received(9);
  EXPECT_EQ(count.wanted(), 1u) << "all there was";
  for (const std::size_t wanted : {2u, 3u, 3u}) {
    count.received(10);
    EXPECT_EQ(count.wanted(), wanted);
  }
  count.received(4);
  EXPECT_EQ(count.wanted(), 3u);
  for (const std::size_t wanted : {2u, 1u, 1u}) {
    count.received(0);
    EXPECT_EQ(count.wanted(), wanted);
  }
}

TEST(ReceiverCount, AFailureLeavesOne) {
  ReceiverCount count(8);
  for (int i = 0; i < 8; ++i) count.received(10);
  count.failed();
  EXPECT_EQ(count.wanted(), 1u);
}

}  // namespace
}  // namespace repoupdate
