// SPDX-License-Identifier: Apache-2.0
#include "sync/work_list.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "testkit/fake_clock.hpp"

namespace repoupdate {
namespace {

using std::chrono::seconds;

// With a stop requested, take() hands out nothing; without, it would wait: so tests ask only for due work.
class WorkListTest : public testing::Test {
protected:
  FakeClock clock;
  WorkList list{clock, seconds(60), 4};
  std::size_t first = list.add_repository({.quiet = seconds(2), .max_age = seconds(30), .max_count = 10}, {});
  std::size_t second = list.add_repository({.quiet = seconds(2), .max_age = seconds(30), .max_count = 10}, {});

  std::optional<WorkList::Job> take_within(Duration real_time) {
    std::stop_source stop;
    std::mutex mutex;
    std::condition_variable_any never;
    std::jthread limit([&](std::stop_token taken) {
      std::unique_lock lock(mutex);
      never.wait_for(lock, taken, real_time, [] { return false; });
      stop.request_stop();
    });
    return list.take(stop.get_token());
  }
  // Where work is due, which costs no time, the limit has to outlast any pause of a busy machine.
  std::optional<WorkList::Job> take_due() { return take_within(seconds(60)); }
  bool nothing_due() { return !take_within(Duration(50)); }
};

TEST_F(WorkListTest, HandsOutWorkWhenItsWindowHasEnded) {
  list.add({{first, "a.rpm", "a.rpm"}}, {});
  EXPECT_TRUE(nothing_due());
  clock.advance(seconds(2));
  const auto job = take_due();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->repository, first);
  EXPECT_TRUE(job->batch.changes.keys.contains("a.rpm"));
}

// A worker that waits, and a window that ends at once.
TEST_F(WorkListTest, WhatOneMessageNamesIsOneJob) {
  const auto eager = list.add_repository({.quiet = Duration(0)}, Duration(0));
  std::vector<Route> routes;
  for (int i = 0; i < 100; ++i) routes.push_back({eager, std::to_string(i) + ".rpm", {}});
  auto job = std::async(std::launch::async, [&] { return list.take({}); });
  std::this_thread::sleep_for(Duration(20));
  list.add(routes, {});
  EXPECT_EQ(job.get()->batch.changes.keys.size(), 100u);
}

TEST_F(WorkListTest, EndedWindowsAreDueInEveryRepository) {
  list.add({{first, "a.rpm", "a.rpm"}}, {});
  list.add({{second, "b.rpm", "b.rpm"}}, {});
  EXPECT_TRUE(nothing_due());
  list.end_windows();
  EXPECT_TRUE(take_due());
  EXPECT_TRUE(take_due()) << "two repositories are worked on at the same time";
}

TEST_F(WorkListTest, ARepositoryIsWorkedOnByOneWorkerAtATime) {
  list.add_reconcile(first);
  auto job = take_due();
  ASSERT_TRUE(job);
  list.add_reconcile(first);
  EXPECT_TRUE(nothing_due());
  list.finish(*job, {});
  EXPECT_TRUE(take_due());
}

// What comes for a repository while it is worked on is done after that, and not by somebody else meanwhile.
TEST_F(WorkListTest, RepositoriesAreWorkedOnBesideEachOtherAndEachInOrder) {
  list.add({{first, "a.rpm", "a.rpm"}}, {});
  list.add({{second, "b.rpm", "b.rpm"}}, {});
  clock.advance(seconds(2));
  const auto one = take_due(), other = take_due();
  ASSERT_TRUE(one && other);
  EXPECT_NE(one->repository, other->repository);
  const std::size_t repository = one->repository;
  const std::string href = one->batch.changes.keys.begin()->first;
  list.add({{repository, href, href}}, {});
  list.add({{repository, "c.rpm", "c.rpm"}}, {});
  clock.advance(seconds(2));
  EXPECT_TRUE(nothing_due());
  list.finish(*one, {});
  const auto next = take_due();
  ASSERT_TRUE(next);
  EXPECT_EQ(next->repository, repository);
  EXPECT_TRUE(next->batch.changes.keys.contains(href));
  EXPECT_TRUE(next->batch.changes.keys.contains("c.rpm"));
}

TEST_F(WorkListTest, AFailingRepositoryWaitsLongerEachTimeAndHoldsUpNobody) {
  list.add_reconcile(first);
  Duration waited{0};
  for (int failures = 0; failures < 8; ++failures) {
    while (true) {
      if (auto job = take_within(Duration(50))) {
        EXPECT_EQ(job->failures, failures);
        list.give_back(std::move(*job));
        break;
      }
      clock.advance(seconds(1));
      waited += seconds(1);
    }
  }
  EXPECT_GE(waited, seconds(31));  // half of 1 + 2 + 4 + ... at least
  list.add_reconcile(second);
  const auto other = take_due();
  ASSERT_TRUE(other);
  EXPECT_EQ(other->repository, second);
}

TEST_F(WorkListTest, FailingRepositoriesNeverKeepAllWorkers) {
  for (std::size_t number = 2; number < 6; ++number) list.add_repository({}, {});
  for (std::size_t number = 0; number < 5; ++number) {
    list.add_reconcile(number);
    auto job = take_due();
    ASSERT_TRUE(job);
    list.give_back(*std::move(job));
  }
  clock.advance(seconds(2));
  EXPECT_TRUE(take_due());
  EXPECT_TRUE(take_due());
  EXPECT_TRUE(nothing_due());  // two of four workers are busy with failing ones
  list.add_reconcile(5);
  const auto sound = take_due();
  ASSERT_TRUE(sound);
  EXPECT_EQ(sound->repository, 5u);
}

TEST_F(WorkListTest, PollsAgainAfterTheInterval) {
  const auto polled = list.add_repository({}, seconds(300));
  EXPECT_TRUE(nothing_due());
  for (int round = 0; round < 2; ++round) {
    clock.advance(seconds(300));
    auto job = take_due();
    ASSERT_TRUE(job);
    EXPECT_EQ(job->repository, polled);
    EXPECT_TRUE(job->batch.reconcile);
    list.finish(*job, {});
    EXPECT_TRUE(nothing_due());
  }
}

TEST_F(WorkListTest, NewWorkWakesAWaitingWorker) {
  std::optional<WorkList::Job> job;
  std::stop_source stop;
  std::jthread worker([&] { job = list.take(stop.get_token()); });
  list.add_reconcile(first);
  worker.join();
  EXPECT_TRUE(job);
}

// A publication that waits for somebody's word is not looked at every minute.
TEST_F(WorkListTest, WhatIsGivenBackForLongerIsNotDueBefore) {
  list.add_reconcile(first);
  auto job = take_due();
  ASSERT_TRUE(job);
  list.give_back(*std::move(job), std::chrono::minutes(5));
  clock.advance(seconds(299));
  EXPECT_TRUE(nothing_due());
  clock.advance(seconds(1));
  EXPECT_TRUE(take_due());
}

}  // namespace
}  // namespace repoupdate
