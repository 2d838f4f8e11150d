// SPDX-License-Identifier: Apache-2.0
#include "base/random_id.hpp"

#include <gtest/gtest.h>

#include <set>

namespace repoupdate {
namespace {

TEST(RandomId, IsAnotherOneEachTime) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    ids.insert(random_id());
    EXPECT_EQ(ids.begin()->find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(ids.begin()->size(), 16u);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

}  // namespace
}  // namespace repoupdate
