// SPDX-License-Identifier: Apache-2.0
#include "io/directory_source.hpp"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration k_moment = std::chrono::milliseconds(30);  // nothing more is expected
constexpr Duration k_patience = std::chrono::seconds(20);     // something is; never waited for when all is well
constexpr DirectorySourceOptions k_quick{.quiet_found = std::chrono::milliseconds(5),
                                         .quiet_created = std::chrono::hours(1)};

class DirectorySourceTest : public testing::Test {
protected:
  void open(std::vector<std::string> roots) {
    auto opened = DirectorySource::open(std::move(roots), k_quick);
    ASSERT_TRUE(opened) << opened.error().message;
    source = *std::move(opened);
  }
  void open() { open({directory.path()}); }

  // The keys of everything until nothing comes any more, or all of `awaited` have come.
  std::set<std::string> receive(const std::set<std::string>& awaited = {}) {
    std::set<std::string> seen;
    while (true) {
      const bool complete = std::includes(seen.begin(), seen.end(), awaited.begin(), awaited.end());
      const auto deliveries = source->receive(complete ? k_moment : k_patience, {});
      if (!deliveries || deliveries->empty()) return seen;
      for (const auto& delivery : *deliveries)
        for (const auto& event : delivery.events) seen.insert(event.key);
    }
  }

  ScratchDirectory directory;
  ScratchDirectory elsewhere;  // on the same file system, not watched
  std::unique_ptr<DirectorySource> source;
};

TEST_F(DirectorySourceTest, AFileCountsWhenItIsClosedAndWhenItIsGone) {
  open();
  directory.write("a.rpm", "1");
  EXPECT_THAT(receive({"a.rpm"}), ElementsAre("a.rpm"));
  fs::remove(directory.path("a.rpm"));
  EXPECT_THAT(receive({"a.rpm"}), ElementsAre("a.rpm"));
  EXPECT_THAT(receive(), IsEmpty());
}

TEST_F(DirectorySourceTest, AFileThatIsStillWrittenIsWaitedFor) {
  open();
  std::ofstream slow(directory.path("slow.rpm"));
  slow << "half" << std::flush;
  directory.write("other.rpm", "1");
  EXPECT_THAT(receive({"other.rpm"}), ElementsAre("other.rpm"));
  slow << "whole";
  slow.close();
  EXPECT_THAT(receive({"slow.rpm"}), ElementsAre("slow.rpm"));
}

TEST_F(DirectorySourceTest, MovesCountAtBothEnds) {
  const auto made = elsewhere.write("a.rpm", "1");
  directory.write("b.rpm", "1");
  open();
  fs::rename(made, directory.path("a.rpm"));
  fs::rename(directory.path("b.rpm"), directory.path("c.rpm"));
  EXPECT_THAT(receive({"a.rpm", "b.rpm", "c.rpm"}), ElementsAre("a.rpm", "b.rpm", "c.rpm"));
  fs::rename(directory.path("a.rpm"), elsewhere.path("a.rpm"));
  EXPECT_THAT(receive({"a.rpm"}), ElementsAre("a.rpm"));
}

TEST_F(DirectorySourceTest, LinkedFilesCountWithoutBeingWritten) {
  const auto made = elsewhere.write("a.rpm", "1");
  open();
  fs::create_hard_link(made, directory.path("hard.rpm"));
  fs::create_symlink(made, directory.path("soft.rpm"));
  EXPECT_THAT(receive({"hard.rpm", "soft.rpm"}), ElementsAre("hard.rpm", "soft.rpm"));
}

TEST_F(DirectorySourceTest, EventsSayWhereToLook) {
  open();
  directory.write("d/a+b c.rpm", "1");
  const auto deliveries = source->receive(k_patience, {});
  ASSERT_TRUE(deliveries);
  ASSERT_EQ(deliveries->size(), 1U);
  const auto& receipt = deliveries->front().receipt;
  const auto& events = deliveries->front().events;
  const auto& problem = deliveries->front().problem;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].bucket, directory.path());
  EXPECT_EQ(events[0].key, "d/a+b c.rpm");
  EXPECT_EQ(events[0].raw_key, "d/a+b c.rpm");
  EXPECT_EQ(receipt.source, source->name());
  EXPECT_EQ(problem, "");
  const auto acknowledged = source->acknowledge(std::vector{receipt});
  ASSERT_TRUE(acknowledged);
  EXPECT_THAT(*acknowledged, IsEmpty());
}

TEST_F(DirectorySourceTest, WhatIsThereAlreadyIsNoNews) {
  directory.write("a.rpm", "1");
  directory.write("d/b.rpm", "1");
  open();
  EXPECT_THAT(receive(), IsEmpty());
}

// Semantics 5.
TEST_F(DirectorySourceTest, MetadataHiddenAndForeignFilesAreIgnored) {
  directory.write("repodata/old.xml", "1");
  open();
  for (const char* other :
       {"repodata/x.rpm", ".repodata/x.rpm", ".hidden.rpm", "README", ".repoupdate-1", "d/repodata/x.rpm"})
    directory.write(other, "1");
  directory.write("last.rpm", "1");
  EXPECT_THAT(receive({"last.rpm"}), ElementsAre("last.rpm"));
}

TEST_F(DirectorySourceTest, ANewDirectoryIsWatchedAndItsFilesAreSeen) {
  open();
  directory.write("new/deep/er/a.rpm", "1");
  EXPECT_THAT(receive({"new/deep/er/a.rpm"}), ElementsAre("new/deep/er/a.rpm"));
  directory.write("new/deep/b.rpm", "1");
  EXPECT_THAT(receive({"new/deep/b.rpm"}), ElementsAre("new/deep/b.rpm"));
}

TEST_F(DirectorySourceTest, ADirectoryMovesWithAllThatIsInIt) {
  directory.write("d/sub/a.rpm", "1");
  directory.write("d/b.rpm", "1");
  directory.write("dd.rpm", "1");
  open();
  fs::rename(directory.path("d"), directory.path("e"));
  EXPECT_THAT(receive({"d/b.rpm", "d/sub/a.rpm", "e/b.rpm", "e/sub/a.rpm"}),
              ElementsAre("d/b.rpm", "d/sub/a.rpm", "e/b.rpm", "e/sub/a.rpm"));
  directory.write("e/sub/c.rpm", "1");
  EXPECT_THAT(receive({"e/sub/c.rpm"}), ElementsAre("e/sub/c.rpm")) << "under its new name alone";
  fs::rename(directory.path("e"), elsewhere.path("e"));
  EXPECT_THAT(receive({"e/b.rpm", "e/sub/a.rpm", "e/sub/c.rpm"}), ElementsAre("e/b.rpm", "e/sub/a.rpm", "e/sub/c.rpm"));
  elsewhere.write("e/later.rpm", "1");
  EXPECT_THAT(receive(), IsEmpty()) << "what left is watched no longer";
}

TEST_F(DirectorySourceTest, LinkedDirectoriesAreWatchedUnderEveryName) {
  elsewhere.write("pool/a.rpm", "1");
  directory.write("d/x", "1");
  fs::create_directory_symlink(elsewhere.path("pool"), directory.path("one"));
  fs::create_directory_symlink(directory.path(), directory.path("d/loop"));
  open();
  fs::create_directory_symlink(elsewhere.path("pool"), directory.path("two"));
  EXPECT_THAT(receive({"two/a.rpm"}), ElementsAre("two/a.rpm"));
  elsewhere.write("pool/b.rpm", "1");
  EXPECT_THAT(receive({"one/b.rpm", "two/b.rpm"}), ElementsAre("one/b.rpm", "two/b.rpm"));
  fs::remove(directory.path("two"));
  EXPECT_THAT(receive({"two/a.rpm", "two/b.rpm"}), ElementsAre("two/a.rpm", "two/b.rpm"));
  elsewhere.write("pool/c.rpm", "1");
  EXPECT_THAT(receive({"one/c.rpm"}), ElementsAre("one/c.rpm"));
}

TEST_F(DirectorySourceTest, RootsWithinEachOtherEachGetTheirEvents) {
  fs::create_directory(directory.path("el9"));
  open({directory.path(), directory.path("el9"), elsewhere.path()});
  directory.write("el9/a.rpm", "1");
  elsewhere.write("b.rpm", "1");
  EXPECT_THAT(receive({"a.rpm", "el9/a.rpm", "b.rpm"}), ElementsAre("a.rpm", "b.rpm", "el9/a.rpm"));
}

TEST_F(DirectorySourceTest, AnOverflowOfTheQueueLosesNothing) {
  int limit = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> limit;
  if (limit <= 0 || limit > 20'000) GTEST_SKIP() << "the queue holds " << limit << " events";
  directory.write("old.rpm", "1");
  open();
  std::string here = directory.write("filler0", "1");
  for (int i = 1; i < limit; ++i) {
    const std::string there = directory.path("filler" + std::to_string(i % 2));
    fs::rename(here, there);
    here = there;
  }
  directory.write("d/late.rpm", "1");
  fs::remove(directory.path("old.rpm"));
  directory.write("kept.rpm", "1");
  EXPECT_THAT(receive({"old.rpm", "d/late.rpm", "kept.rpm"}), ElementsAre("d/late.rpm", "kept.rpm", "old.rpm"));
  directory.write("d/after.rpm", "1");
  EXPECT_THAT(receive({"d/after.rpm"}), ElementsAre("d/after.rpm"));
}

// I14: that the root is not there says nothing about its packages.
TEST_F(DirectorySourceTest, ARootThatVanishedIsAnErrorUntilItIsBack) {
  directory.write("root/a.rpm", "1");
  directory.write("root/b.rpm", "1");
  const std::string root = directory.path("root");
  open({root});
  fs::rename(root, directory.path("away"));
  for (int i = 0; i < 2; ++i) {
    const auto received = source->receive(k_moment, {});
    ASSERT_TRUE(received.failed_with(ErrorKind::unavailable));
    EXPECT_THAT(received.error().message, HasSubstr(root));
  }
  directory.write("away/c.rpm", "1");
  fs::remove(directory.path("away/b.rpm"));
  fs::rename(directory.path("away"), root);
  EXPECT_THAT(receive({"a.rpm", "b.rpm", "c.rpm"}), ElementsAre("a.rpm", "b.rpm", "c.rpm"));
  directory.write("root/d.rpm", "1");
  EXPECT_THAT(receive({"d.rpm"}), ElementsAre("d.rpm"));
}

TEST_F(DirectorySourceTest, ARootThatIsNotThereDoesNotHoldUpTheOthers) {
  open({directory.path("later"), elsewhere.path()});
  elsewhere.write("a.rpm", "1");
  EXPECT_THAT(receive({"a.rpm"}), ElementsAre("a.rpm"));
  EXPECT_TRUE(source->receive(k_moment, {}).failed_with(ErrorKind::unavailable));
  directory.write("later/b.rpm", "1");
  EXPECT_THAT(receive({"b.rpm"}), ElementsAre("b.rpm"));
}

TEST_F(DirectorySourceTest, ADirectoryThatMayNotBeReadIsToldAndTheOthersAreWatched) {
  directory.write("secret/a.rpm", "1");
  directory.write("zone/b.rpm", "1");
  fs::permissions(directory.path("secret"), fs::perms::none);
  // Only this thread becomes somebody who owns nothing here; does nothing unless the test runs as root.
  for (const auto& open_to_all : {directory.path(), directory.path("zone")})
    fs::permissions(open_to_all, fs::perms::all);
  const auto user = static_cast<uid_t>(::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid()));
  open();
  const auto failed = source->receive(k_moment, {});
  std::ofstream(directory.path("zone/c.rpm")) << "1";
  const auto seen = receive({"zone/c.rpm"});
  ::setfsuid(user);
  EXPECT_TRUE(failed.failed_with(ErrorKind::denied));
  EXPECT_THAT(seen, ElementsAre("zone/c.rpm"));
  fs::permissions(directory.path("secret"), fs::perms::owner_all);
  EXPECT_THAT(receive({"secret/a.rpm", "zone/b.rpm"}), ElementsAre("secret/a.rpm", "zone/b.rpm", "zone/c.rpm"))
      << "once it can be read, all there is";
}

TEST_F(DirectorySourceTest, AStopEndsTheWait) {
  open();
  std::stop_source stop;
  std::thread stopper([&] { stop.request_stop(); });
  const auto received = source->receive(std::chrono::hours(1), stop.get_token());
  stopper.join();
  ASSERT_TRUE(received);
  EXPECT_THAT(*received, IsEmpty());
  directory.write("a.rpm", "1");
  EXPECT_THAT(receive({"a.rpm"}), ElementsAre("a.rpm")) << "an earlier stop does not end a later wait";
}

}  // namespace
}  // namespace repoupdate
