// SPDX-License-Identifier: Apache-2.0
#include "sync/lease.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testkit/fake_clock.hpp"
#include "testkit/memory_object_store.hpp"

namespace repoupdate {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

const std::string k_key = "r/repodata/.repoupdate/lease.json";

TEST(LeaseRecord, ReadsWhatItWrites) {
  const LeaseRecord record{"1f@host:7", 12, 3, seconds(30), SystemTime(seconds(1'800'000'000))};
  const auto read = parse_lease(to_json(record));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->owner, record.owner);
  EXPECT_EQ(read->token, record.token);
  EXPECT_EQ(read->renewals, record.renewals);
  EXPECT_EQ(read->length, record.length);
  EXPECT_THAT(to_json(record), HasSubstr("2027-01-15T08:00:00Z"));
}

TEST(LeaseRecord, WhatIsNotOursIsNotRead) {
  const std::string sound = to_json({"a", 1, 0, seconds(30), {}});
  ASSERT_TRUE(parse_lease(sound));
  for (std::size_t size = 0; size < sound.find("  \"expires\""); ++size)
    EXPECT_FALSE(parse_lease(sound.substr(0, size))) << size;
  EXPECT_FALSE(parse_lease(to_json({"a b", 1, 0, seconds(30), {}})));
  EXPECT_FALSE(parse_lease(to_json({"a\nb", 1, 0, seconds(30), {}})));
  EXPECT_FALSE(parse_lease(to_json({std::string(300, 'a'), 1, 0, seconds(30), {}})));
}

// A record may claim what it wants: nobody is kept waiting for longer than this.
TEST(LeaseRecord, LengthHasAMaximum) {
  EXPECT_EQ(parse_lease(to_json({"a", 1, 0, std::chrono::hours(9000), {}}))->length, k_max_lease);
}

TEST(LeaseSight, ExpiresByOneClockOnly) {
  const auto at = [](int second) { return SystemTime(seconds(1'800'000'000 + second)); };
  const auto expired = [&](SystemTime written, SystemTime answered, Duration unchanged) {
    return has_expired({{"a", 1, 0, seconds(30), {}}, written, answered, unchanged});
  };
  EXPECT_FALSE(expired(at(0), at(30), seconds(0)));  // may be 29.1 s: dates are cut to seconds
  EXPECT_TRUE(expired(at(0), at(31), seconds(0)));
  EXPECT_FALSE(expired(at(0), at(5), seconds(29)));
  EXPECT_TRUE(expired(at(0), at(5), seconds(30)));  // the store's clock may stand still
  EXPECT_FALSE(expired(at(0), {}, seconds(29)));
  EXPECT_FALSE(expired({}, at(0), seconds(0)));
  EXPECT_FALSE(expired(at(40), at(0), seconds(0)));
}

class LeaseTest : public testing::Test {
protected:
  LeaseTest() {
    store.set_conditions(Condition::ignored);
    store.time = [this] { return clock.now(); };
  }
  Lease lease(const std::string& who) {
    return {store, "s3://b/r", "r/", {.length = seconds(30), .settle = seconds(2), .who = who}, clock};
  }
  std::string owner() {
    const auto read = parse_lease(store.contents().at(k_key).bytes);
    return read ? read->owner : "unreadable";
  }
  static void expect_ok(const auto& outcome) { EXPECT_TRUE(outcome.ok()) << outcome.error().text(); }

  MemoryObjectStore store;
  FakeClock clock;
};

TEST_F(LeaseTest, IsHeldAfterTheSettlingTimeAndGivenBack) {
  Lease mine = lease("a");
  const SteadyTime start = clock.steady();
  expect_ok(mine.acquire({}));
  EXPECT_GE(clock.steady() - start, seconds(2));
  EXPECT_TRUE(mine.held());
  EXPECT_EQ(mine.token(), 1u);
  EXPECT_THAT(owner(), HasSubstr("@a"));
  expect_ok(mine.confirm());
  mine.release();
  EXPECT_EQ(owner(), "");
  EXPECT_FALSE(mine.held());
}

TEST_F(LeaseTest, TokenGrowsWithEachOwner) {
  for (std::uint64_t token = 1; token < 4; ++token) {
    Lease mine = lease("a");
    expect_ok(mine.acquire({}));
    EXPECT_EQ(mine.token(), token);
    mine.release();
  }
}

TEST_F(LeaseTest, WaitsForTheOtherToGiveItBack) {
  Lease first = lease("a"), second = lease("b");
  expect_ok(first.acquire({}));
  int looks = 0;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "GET " + k_key && looks < 3 && ++looks == 3) {
      expect_ok(first.renew());
      first.release();
    }
    return {};
  };
  expect_ok(second.acquire({}));
  EXPECT_THAT(owner(), HasSubstr("@b"));
}

// One who was killed costs the others the length of its lease, no more; and comes back too late to write.
TEST_F(LeaseTest, DeadOwnerDelaysOthersByTheLengthOfTheLease) {
  Lease dead = lease("dead"), next = lease("next");
  expect_ok(dead.acquire({}));
  const SteadyTime start = clock.steady();
  expect_ok(next.acquire({}));
  EXPECT_LE(clock.steady() - start, seconds(30 + 1 + 2 + 2));
  EXPECT_EQ(next.token(), dead.token() + 1);
  EXPECT_TRUE(dead.confirm().failed_with(ErrorKind::precondition_failed));
  EXPECT_FALSE(dead.held());
  dead.release();
  EXPECT_THAT(owner(), HasSubstr("@next"));
}

TEST_F(LeaseTest, OneOfLongAgoIsNotWaitedFor) {
  Lease dead = lease("dead"), next = lease("next");
  expect_ok(dead.acquire({}));
  clock.advance(std::chrono::hours(1));
  const SteadyTime start = clock.steady();
  expect_ok(next.acquire({}));
  EXPECT_LE(clock.steady() - start, seconds(3));
}

TEST_F(LeaseTest, SomethingElseInItsPlaceDoesNotStandInTheWayForEver) {
  for (const std::string& bytes : {std::string("no lease"), std::string(100'000, 'x')}) {
    store.place(k_key, bytes, clock.now());
    Lease next = lease("next");
    expect_ok(next.acquire({}));
    next.release();
  }
}

// A store that tells no time: it is watched instead.
TEST_F(LeaseTest, ExpiresAlsoWithoutTheStoresClock) {
  store.time = nullptr;
  Lease dead = lease("dead"), next = lease("next");
  expect_ok(dead.acquire({}));
  clock.advance(std::chrono::hours(1));
  const SteadyTime start = clock.steady();
  expect_ok(next.acquire({}));
  EXPECT_GE(clock.steady() - start, seconds(30));
  EXPECT_LE(clock.steady() - start, seconds(30 + 1 + 2 + 2));
}

TEST_F(LeaseTest, RenewedInTimeItIsKept) {
  Lease mine = lease("a");
  expect_ok(mine.acquire({}));
  for (int i = 0; i < 20; ++i) {
    clock.advance(seconds(10));
    expect_ok(mine.renew());
  }
  expect_ok(mine.confirm());
  clock.advance(seconds(28));
  EXPECT_TRUE(mine.confirm().failed_with(ErrorKind::precondition_failed));  // too little is left to write a pointer
}

// What is written under it has to be over before anybody else may take it.
TEST_F(LeaseTest, TellsUntilWhenToWrite) {
  Lease mine = lease("a");
  const SteadyTime start = clock.steady();
  expect_ok(mine.acquire({}));
  const auto until = mine.confirm();
  ASSERT_TRUE(until.ok()) << until.error().text();
  EXPECT_EQ(*until, start + seconds(30 - 2));
  clock.advance(seconds(10));
  expect_ok(mine.renew());
  EXPECT_EQ(store.contents().at(k_key).options.deadline, *until);
  EXPECT_EQ(*mine.confirm(), *until + seconds(2 + 10));
}

TEST_F(LeaseTest, LookThatOutlastsItConfirmsNothing) {
  Lease mine = lease("a");
  expect_ok(mine.acquire({}));
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "GET " + k_key) clock.advance(seconds(40));
    return {};
  };
  EXPECT_TRUE(mine.confirm().failed_with(ErrorKind::precondition_failed));
  EXPECT_THAT(owner(), HasSubstr("@a"));
}

// Of two who find it free at the same time, the one who wrote last has it; the other sees that, and waits.
TEST_F(LeaseTest, OfTwoClaimsAtTheSameTimeOneHolds) {
  Lease first = lease("a"), second = lease("b");
  int gets = 0;
  store.before = [&](const std::string& request) -> Result<void> {
    // After the first one's claim, before its second look: another, who had found it free as well, writes.
    if (request == "GET " + k_key && gets < 2 && ++gets == 2) {
      store.drop(k_key);
      expect_ok(second.acquire({}));
      EXPECT_FALSE(first.held());
    }
    return {};
  };
  expect_ok(first.acquire({}));  // in the end, when the second one's has expired
  EXPECT_EQ(first.token(), second.token() + 1);
  EXPECT_FALSE(second.confirm().ok());
  expect_ok(first.confirm());
}

// Between the look and the answer to its claim a writer was stopped for longer than others wait: they may have
// believed theirs by now.
TEST_F(LeaseTest, ClaimThatTookTooLongIsVoid) {
  Lease slow = lease("slow"), fast = lease("fast");
  bool delayed = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_key && !std::exchange(delayed, true)) {
      expect_ok(fast.acquire({}));
      expect_ok(fast.confirm());
    }
    return {};
  };
  expect_ok(slow.acquire({}));
  EXPECT_TRUE(fast.confirm().failed_with(ErrorKind::precondition_failed));  // it is told before it writes
  EXPECT_GE(slow.token(), 1u);
  expect_ok(slow.confirm());
}

TEST_F(LeaseTest, StoreThatIsTooSlowForItIsToldSo) {
  Lease mine = lease("a");
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_key) clock.advance(seconds(3));
    return {};
  };
  const auto acquired = mine.acquire({});
  ASSERT_TRUE(acquired.failed_with(ErrorKind::timed_out));
  EXPECT_THAT(acquired.error().message, HasSubstr("no conditional writes"));
}

TEST_F(LeaseTest, OutlastsAMinuteInWhichTheStoreIsTooSlow) {
  Lease mine = lease("a");
  const SteadyTime start = clock.steady();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_key && clock.steady() - start < seconds(60)) clock.advance(seconds(3));
    return {};
  };
  expect_ok(mine.acquire({}));
  expect_ok(mine.confirm());
}

TEST_F(LeaseTest, GivesUpWhenOthersNeverGiveItBack) {
  Lease mine = lease("a");
  std::uint64_t renewals = 0;
  store.before = [&](const std::string&) -> Result<void> {
    store.place(k_key, to_json({"other", 7, ++renewals, seconds(30), {}}), clock.now());
    return {};
  };
  const auto acquired = mine.acquire({});
  ASSERT_TRUE(acquired.failed_with(ErrorKind::conflict));
  EXPECT_THAT(acquired.error().message, HasSubstr("other"));
}

TEST_F(LeaseTest, GivesUpWhereEveryClaimIsRefused) {
  Lease mine = lease("a");
  const SteadyTime start = clock.steady();
  store.before = [&](const std::string& request) -> Result<void> {
    if (clock.steady() - start > std::chrono::hours(1)) return Error{ErrorKind::io, "it would go on for ever", {}};
    if (request == "PUT " + k_key) return Error{ErrorKind::conflict, "409", {}};
    return {};
  };
  const auto acquired = mine.acquire({});
  ASSERT_TRUE(acquired.failed_with(ErrorKind::conflict)) << acquired.error().text();
  EXPECT_THAT(acquired.error().message, HasSubstr("no claim"));
  EXPECT_LE(clock.steady() - start, std::chrono::minutes(10) + seconds(3));
}

TEST_F(LeaseTest, WhatIsNoLeaseIsWaitedForAndReplaced) {
  store.place(k_key, "what?", clock.now());
  Lease mine = lease("a");
  const SteadyTime start = clock.steady();
  expect_ok(mine.acquire({}));
  EXPECT_GE(clock.steady() - start, seconds(30));
  EXPECT_THAT(owner(), HasSubstr("@a"));
}

TEST_F(LeaseTest, StopEndsTheWait) {
  Lease first = lease("a"), second = lease("b");
  expect_ok(first.acquire({}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(second.acquire(stop.get_token()).failed_with(ErrorKind::cancelled));
  expect_ok(first.confirm());
}

// Swift answers so when another claim that was written at the same moment is in place first.
TEST_F(LeaseTest, ClaimThatMeetsAnotherOneIsMadeAgain) {
  Lease mine = lease("a");
  int claims = 0;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_key && ++claims == 1) return Error{ErrorKind::conflict, "409", {}};
    return {};
  };
  expect_ok(mine.acquire({}));
  EXPECT_EQ(claims, 2);
  EXPECT_THAT(owner(), HasSubstr("@a"));
}

TEST_F(LeaseTest, FailureOfTheStoreIsPassedOn) {
  Lease mine = lease("a");
  store.before = [](const std::string&) -> Result<void> { return Error{ErrorKind::denied, "403", {}}; };
  EXPECT_TRUE(mine.acquire({}).failed_with(ErrorKind::denied));
}

}  // namespace
}  // namespace repoupdate
