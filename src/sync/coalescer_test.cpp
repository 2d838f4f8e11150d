// SPDX-License-Identifier: Apache-2.0
#include "sync/coalescer.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

using std::chrono::seconds;

SteadyTime at(int second) {
  return SteadyTime(seconds(second));
}
Receipt receipt(std::string id, std::string handle) {
  return {"q", std::move(id), std::move(handle)};
}
const CoalescingPolicy k_policy{.quiet = seconds(2), .max_age = seconds(30), .max_count = 3};

TEST(Coalescer, WaitsUntilNothingNewHasComeForTheQuietTime) {
  Coalescer coalescer(k_policy);
  EXPECT_EQ(coalescer.due(), std::nullopt);
  coalescer.add("a.rpm", "a.rpm", {}, at(10));
  EXPECT_EQ(coalescer.due(), at(12));
  coalescer.add("b.rpm", "b.rpm", {}, at(11));
  EXPECT_EQ(coalescer.due(), at(13));
}

// Semantics 8: a steady stream must not starve it.
TEST(Coalescer, SteadyStreamIsTakenAtTheMaximumAge) {
  Coalescer coalescer(k_policy);
  for (int second = 0; second < 30; ++second) coalescer.add("a.rpm", "a.rpm", {}, at(second));
  EXPECT_EQ(coalescer.due(), at(30));
}

TEST(Coalescer, IsDueAtOnceWhenEnoughKeysWait) {
  Coalescer coalescer(k_policy);
  for (const char* href : {"a.rpm", "b.rpm", "c.rpm"}) coalescer.add(href, href, {}, at(5));
  EXPECT_EQ(coalescer.due(), at(5));
}

// Where one event says that it was made, a 404 is worth a second look.
TEST(Coalescer, KeyIsSaidToBeGoneWhenAllEventsSaySo) {
  Coalescer coalescer(k_policy);
  coalescer.add("a.rpm", "a.rpm", {}, at(0), true);
  coalescer.add("a.rpm", "a.rpm", {}, at(0), true);
  coalescer.add("b.rpm", "b.rpm", {}, at(0), true);
  coalescer.add("b.rpm", "b.rpm", {}, at(0), false);
  auto batch = coalescer.take();
  EXPECT_TRUE(batch.changes.keys.at("a.rpm").said_gone);
  EXPECT_FALSE(batch.changes.keys.at("b.rpm").said_gone);
  coalescer.put_back(batch, at(1), at(1), Coalescer::Patience::wait);
  EXPECT_TRUE(coalescer.take().changes.keys.at("a.rpm").said_gone);
}

TEST(Coalescer, RepeatedEventsAreOneKeyWithEveryMessage) {
  Coalescer coalescer(k_policy);
  coalescer.add("a b.rpm", "a+b.rpm", receipt("1", "h1"), at(0));
  coalescer.add("a b.rpm", "a+b.rpm", receipt("2", "h2"), at(0));
  const auto batch = coalescer.take();
  ASSERT_EQ(batch.changes.keys.size(), 1u);
  const auto& key = batch.changes.keys.at("a b.rpm");
  EXPECT_EQ(key.raw_href, "a+b.rpm");
  EXPECT_EQ(key.receipts, (std::vector{receipt("1", "h1"), receipt("2", "h2")}));
  EXPECT_EQ(coalescer.due(), std::nullopt);
}

TEST(Coalescer, WhatIsGivenBackWaitsForItsBackoffAndKeepsWhatCameMeanwhile) {
  Coalescer coalescer(k_policy);
  coalescer.add("a.rpm", "a.rpm", receipt("1", "h1"), at(0));
  auto batch = coalescer.take();
  coalescer.add("b.rpm", "b.rpm", receipt("2", "h2"), at(3));
  coalescer.put_back(std::move(batch), at(4), at(20), Coalescer::Patience::wait);
  EXPECT_EQ(coalescer.due(), at(20));
  EXPECT_EQ(coalescer.take().changes.keys.size(), 2u);
}

// Semantics 9: a bad package does not hold up its neighbours.
TEST(Coalescer, WhatComesAfterAPartialFailureDoesNotWaitForItsBackoff) {
  Coalescer coalescer(k_policy);
  coalescer.add("bad.rpm", "bad.rpm", {}, at(0));
  coalescer.put_back(coalescer.take(), at(4), at(60), Coalescer::Patience::hurry);
  EXPECT_EQ(coalescer.due(), at(60));
  coalescer.add("new.rpm", "new.rpm", {}, at(10));
  EXPECT_EQ(coalescer.due(), at(12));
}

TEST(Coalescer, WhatCameDuringAPartialFailureDoesNotWaitForItsBackoff) {
  Coalescer coalescer(k_policy);
  coalescer.add("bad.rpm", "bad.rpm", {}, at(0));
  auto failing = coalescer.take();
  coalescer.add("new.rpm", "new.rpm", {}, at(3));
  coalescer.put_back(std::move(failing), at(4), at(60), Coalescer::Patience::hurry);
  EXPECT_EQ(coalescer.due(), at(6));
  EXPECT_EQ(coalescer.take().changes.keys.size(), 2u);
}

TEST(Coalescer, AWindowThatIsEndedIsDueAtOnceButNotBeforeItsBackoff) {
  Coalescer coalescer(k_policy);
  coalescer.end_window();
  EXPECT_EQ(coalescer.due(), std::nullopt) << "there is nothing to do";
  coalescer.add("a.rpm", "a.rpm", {}, at(10));
  EXPECT_EQ(coalescer.due(), at(12));
  coalescer.end_window();
  EXPECT_EQ(coalescer.due(), at(10));
  coalescer.put_back(coalescer.take(), at(11), at(20), Coalescer::Patience::wait);
  coalescer.end_window();
  EXPECT_EQ(coalescer.due(), at(20));
  coalescer.take();
  coalescer.add("b.rpm", "b.rpm", {}, at(30));
  EXPECT_EQ(coalescer.due(), at(32)) << "the next window is a whole one";
}

TEST(Coalescer, ReconcileDoesNotWaitForQuiet) {
  Coalescer coalescer(k_policy);
  coalescer.add_reconcile(at(7));
  EXPECT_EQ(coalescer.due(), at(7));
  EXPECT_TRUE(coalescer.take().reconcile);
}

}  // namespace
}  // namespace repoupdate
