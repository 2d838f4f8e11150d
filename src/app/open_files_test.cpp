// SPDX-License-Identifier: Apache-2.0
#include "app/open_files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

namespace repoupdate {
namespace {

TEST(OpenFiles, SoftLimitIsRaisedAsFarAsTheHardOneLets) {
  rlimit before{}, after{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{std::min<rlim_t>(before.rlim_max, 256), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  const rlim_t wanted = std::min<rlim_t>(before.rlim_max, 65536);
  EXPECT_EQ(raise_open_file_limit(), wanted);
  ::getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, wanted);
  EXPECT_EQ(after.rlim_max, before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(raise_open_file_limit(), std::max(before.rlim_cur, wanted)) << "what is higher already stays";
}

TEST(OpenFiles, FewRepositoriesAreRememberedWhereFewFilesMayBeOpen) {
  EXPECT_EQ(repositories_to_remember(0), 16U);
  EXPECT_EQ(repositories_to_remember(512), 16U);
  EXPECT_EQ(repositories_to_remember(1024), 170U);
  EXPECT_EQ(repositories_to_remember(65536), 21674U);
}

}  // namespace
}  // namespace repoupdate
