// SPDX-License-Identifier: Apache-2.0
#include "sync/shrink_guard.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/sample_update.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

struct Case {
  ShrinkPolicy policy;
  std::size_t dropped, before;
  bool refused;
};

TEST(ShrinkGuard, TakesShareAndSpareTogether) {
  const Case cases[] = {{{50, 20}, 51, 100, true},     {{50, 20}, 50, 100, false},  {{50, 20}, 20, 20, false},
                        {{50, 20}, 21, 21, true},      {{50, 20}, 21, 1000, false}, {{100, 0}, 1000, 1000, false},
                        {{0, 0}, 1, 1000, true},       {{0, 0}, 0, 1000, false},    {{99, 20}, 1000, 1000, true},
                        {{50, 20}, 5001, 10'000, true}};
  for (const auto& each : cases)
    EXPECT_EQ(shrinks_too_much(each.policy, each.dropped, each.before), each.refused)
        << each.dropped << " of " << each.before;
}

TEST(ShrinkGuard, CountsNeitherNewBuildsNorWhatSomebodyNamed) {
  MetadataEdit edit;
  edit.erases = {{0, "a-1.rpm", "", {"a", "0", "1", "1", "noarch"}},
                 {1, "b-1.rpm", "", {"b", "0", "1", "1", "noarch"}},
                 {2, "c-1.x86_64.rpm", "", {"c", "0", "1", "1", "x86_64"}},
                 {3, "d-1.rpm", "", {"d", "0", "1", "1", "noarch"}}};
  PackageRecord next;
  next.location_href = "a-2.rpm";
  next.nevra = {"a", "0", "2", "1", "noarch"};
  edit.inserts.push_back(next);
  next.location_href = "c-2.aarch64.rpm";
  next.nevra = {"c", "0", "2", "1", "aarch64"};
  edit.inserts.push_back(next);
  EXPECT_EQ(count_dropped(edit, {}), 3u);  // c of another architecture is no successor
  EXPECT_EQ(count_dropped(edit, {"d-1.rpm"}), 2u);
}

class ShrinkTest : public UpdateTest {
protected:
  ShrinkTest() { repository.policy.shrink = {.share = 50, .spare = 2}; }
  UpdateRequest fill(std::size_t packages) {
    UpdateRequest request;
    for (std::size_t i = 0; i < packages; ++i) {
      const std::string href = name(i) + ".rpm";
      place(href, name(i));
      request.changes.keys[href];
    }
    run(request);
    return request;
  }
  UpdateRequest lose(std::size_t first, std::size_t count) {
    UpdateRequest request;
    for (std::size_t i = first; i < first + count; ++i) {
      store.drop("r/" + name(i) + ".rpm");
      request.changes.keys[name(i) + ".rpm"];
    }
    return request;
  }
  static std::string name(std::size_t number) { return "p" + std::to_string(100 + number); }
  void expect_refused(const UpdateRequest& request) {
    const auto before = store.contents();
    const auto report = update(repository, request, clock, {});
    ASSERT_TRUE(report.failed_with(ErrorKind::unconfirmed)) << (report ? "published" : report.error().text());
    EXPECT_THAT(report.error().text(), HasSubstr("--allow-shrink s3://b/r`"));
    EXPECT_EQ(store.contents().size(), before.size());
  }
  static UpdateRequest reconcile() {
    UpdateRequest request;
    request.reconcile = true;
    return request;
  }
};

TEST_F(ShrinkTest, EmptiedStoreIsRefusedUntilConfirmed) {
  fill(10);
  lose(0, 6);
  expect_refused(reconcile());
  EXPECT_THAT(listed(), SizeIs(10));
  UpdateRequest confirmed = reconcile();
  confirmed.allow_shrink = true;
  EXPECT_EQ(run(confirmed).removed(), 6u);
  expect_sound();
}

TEST_F(ShrinkTest, ADryRunShowsTheEditAndSaysThatItWouldBeRefused) {
  fill(10);
  UpdateRequest request = lose(0, 6);
  request.dry_run = true;
  const auto report = run(request);
  EXPECT_EQ(report.removed(), 6u);
  ASSERT_THAT(report.notes, SizeIs(1));
  EXPECT_THAT(report.notes[0], HasSubstr("--allow-shrink"));
}

TEST_F(ShrinkTest, WhatAPersonNamesIsConfirmed) {
  fill(10);
  UpdateRequest request;
  for (std::size_t i = 0; i < 10; ++i) request.changes.removals.insert(name(i) + ".rpm");
  EXPECT_EQ(run(request).removed(), 10u);
}

// Events come in batches: a repository must not go away by and by.
TEST_F(ShrinkTest, ManySmallPublicationsOfAProcessCountAsOne) {
  RepositoryMemory memory{MemoryLimits{}};
  repository.memory = &memory;
  fill(10);
  EXPECT_EQ(run(lose(0, 2)).removed(), 2u);
  EXPECT_EQ(run(lose(2, 2)).removed(), 2u);
  EXPECT_EQ(run(lose(4, 1)).removed(), 1u);
  const auto next = lose(5, 1);
  expect_refused(next);
  clock.advance(k_shrink_window + Duration(1));
  EXPECT_EQ(run(next).removed(), 1u);
}

// Else a repository in which packages come and go would never get out again.
TEST_F(ShrinkTest, WhatComesWithItMakesUpForWhatWentBefore) {
  RepositoryMemory memory{MemoryLimits{}};
  repository.memory = &memory;
  fill(10);
  run(lose(0, 5));
  UpdateRequest next = lose(5, 1);
  expect_refused(next);
  for (std::size_t i = 20; i < 23; ++i) {
    place(name(i) + ".rpm", name(i));
    next.changes.keys[name(i) + ".rpm"];
  }
  const auto report = run(next);
  EXPECT_EQ(report.removed(), 1u);
  EXPECT_EQ(report.added(), 3u);
}

// As when another bucket has come into the place of this one.
TEST_F(ShrinkTest, WhatComesWithItDoesNotMakeUpForWhatGoesWithIt) {
  fill(10);
  UpdateRequest request = lose(0, 6);
  for (std::size_t i = 20; i < 40; ++i) {
    place(name(i) + ".rpm", name(i));
    request.changes.keys[name(i) + ".rpm"];
  }
  expect_refused(request);
}

TEST_F(ShrinkTest, ARebuildIsHeldAgainstTheOldPrimary) {
  fill(10);
  lose(0, 6);
  UpdateRequest request;
  request.rebuild = true;
  expect_refused(request);
  request.allow_shrink = true;
  EXPECT_TRUE(run(request).published);
  EXPECT_THAT(listed(), SizeIs(4));
}

// There is nothing to hold it against, and it is what damaged metadata need.
TEST_F(ShrinkTest, ARebuildOfUnreadableMetadataGoesThrough) {
  fill(10);
  lose(0, 6);
  store.place("r/repodata/repomd.xml", "<repomd>", k_uploaded);
  UpdateRequest request;
  request.rebuild = true;
  EXPECT_TRUE(run(request).published);
  EXPECT_THAT(listed(), SizeIs(4));
}

TEST(ShrinkGuard, WhatComesMakesUpForWhatWent) {
  std::size_t lost = 0;
  for (int i = 0; i < 100; ++i) lost = still_lost(lost, {.dropped = 3, .gained = 3});
  EXPECT_EQ(lost, 0u);
  for (int i = 0; i < 10; ++i) lost = still_lost(lost, {.dropped = 3, .gained = 1});
  EXPECT_EQ(lost, 20u);
  EXPECT_EQ(still_lost(lost, {.dropped = 0, .gained = 50}), 0u) << "nothing is saved up";
}

}  // namespace
}  // namespace repoupdate
