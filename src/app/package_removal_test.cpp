// SPDX-License-Identifier: Apache-2.0
#include "app/package_removal.hpp"

#include <gtest/gtest.h>

#include "sync/sample_world.hpp"

namespace repoupdate {
namespace {

TEST(DeleteObjects, NothingMoreIsDeletedAfterAStop) {
  SampleWorld world;  // one request at a time
  const std::set<std::string> hrefs{"a.rpm", "b.rpm", "c.rpm"};
  for (const auto& href : hrefs) world.place(href);
  std::stop_source stop;
  world.faulty.after_effect = [&stop](const std::string&) { stop.request_stop(); };
  const auto left = delete_objects(world.repository, hrefs, stop.get_token());
  EXPECT_TRUE(world.store.head("r/a.rpm").failed_with(ErrorKind::not_found));
  ASSERT_EQ(left.size(), 2U);
  for (const auto& failure : left) {
    EXPECT_TRUE(world.store.head("r/" + failure.href)) << failure.href;
    EXPECT_EQ(failure.error.kind, ErrorKind::cancelled) << failure.href;
  }
}

}  // namespace
}  // namespace repoupdate
