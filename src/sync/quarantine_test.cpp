// SPDX-License-Identifier: Apache-2.0
// What goes into quarantine, what leaves it by itself, and what it costs.
#include "sync/quarantine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/sample_update.hpp"

namespace repoupdate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string k_object = "r/" + std::string(k_quarantine_key);

class QuarantineTest : public UpdateTest {
protected:
  QuarantineTest() {
    repository.policy.judge = "test 1";
    store.time = [this] { return clock.now(); };
    clock.advance(std::chrono::hours(1));
  }
  void place_bad(const std::string& href, const std::string& bytes = "hello") {
    store.place("r/" + href, bytes, k_uploaded);
  }
  UpdateReport compare() {
    UpdateRequest request;
    request.reconcile = true;
    return run(request);
  }
  QuarantineRecords records() {
    const auto sight = read_quarantine(repository);
    EXPECT_TRUE(sight.ok()) << (sight ? "" : sight.error().text());
    return sight ? sight->records : QuarantineRecords();
  }
  std::vector<std::string> requests_for(const std::string& key) {
    std::vector<std::string> found;
    for (const auto& request : store.requests())
      if (request.find(key) != std::string::npos) found.push_back(request);
    return found;
  }
  static std::vector<std::string> keys_of(const QuarantineRecords& records) {
    std::vector<std::string> hrefs;
    for (const auto& [href, record] : records) hrefs.push_back(href);
    return hrefs;
  }

  RepositoryMemory memory{MemoryLimits{}};
};

TEST_F(QuarantineTest, ABadPackageIsWrittenDownAndItsNeighbourListed) {
  place("good.rpm", "good");
  place_bad("bad.rpm");
  const auto report = run(keys({"good.rpm", "bad.rpm"}));
  EXPECT_THAT(listed(), ElementsAre("good.rpm good-1-1.noarch"));
  EXPECT_THAT(report.quarantine.added, ElementsAre("bad.rpm"));
  EXPECT_EQ(report.quarantine.total, 1u);
  const auto found = records();
  ASSERT_THAT(keys_of(found), ElementsAre("bad.rpm"));
  const auto& record = found.at("bad.rpm");
  EXPECT_EQ(record.size, 5u);
  EXPECT_EQ(record.etag, store.contents().at("r/bad.rpm").etag);
  EXPECT_EQ(record.kind, ErrorKind::corrupt);
  EXPECT_EQ(record.reason, report.failures.at(0).error.text());
  EXPECT_EQ(record.since, clock.now());
  EXPECT_EQ(record.tries, 1u);
  EXPECT_TRUE(record.stands);
  EXPECT_FALSE(record.is_listed);
}

TEST_F(QuarantineTest, WithoutFailuresNobodyAsksForIt) {
  place("a.rpm", "a");
  compare();
  place("b.rpm", "b");
  run(keys({"b.rpm"}));
  EXPECT_THAT(requests_for("quarantine"), IsEmpty());
}

TEST_F(QuarantineTest, UnchangedBytesAreNotReadAgainByAComparison) {
  place_bad("bad.rpm");
  compare();
  store.forget_requests();
  clock.advance(std::chrono::hours(1));
  const auto again = compare();
  EXPECT_THAT(requests_for("bad.rpm"), IsEmpty());
  EXPECT_THAT(again.failures, IsEmpty());
  ASSERT_EQ(again.quarantine.held.size(), 1u);
  EXPECT_EQ(again.quarantine.held[0].href, "bad.rpm");
  EXPECT_EQ(puts(), 0u) << "nothing has changed";
}

// A process that goes on knows it from the time before: the listing's ETag tells that it still is so.
TEST_F(QuarantineTest, TheDaemonDoesNotReadItAgainEither) {
  repository.memory = &memory;
  place_bad("bad.rpm");
  compare();
  store.forget_requests();
  EXPECT_EQ(compare().quarantine.held.size(), 1u);
  EXPECT_THAT(requests_for("quarantine"), IsEmpty());
  place("good.rpm", "good");
  store.forget_requests();
  const auto other = run(keys({"good.rpm"}));
  EXPECT_EQ(other.quarantine.total, 1u);
  EXPECT_THAT(requests_for("quarantine"), IsEmpty()) << "nor when others are published";
}

TEST_F(QuarantineTest, AnEventAlwaysLooks) {
  place_bad("bad.rpm");
  compare();
  clock.advance(std::chrono::hours(1));
  const auto again = run(keys({"bad.rpm"}));
  EXPECT_EQ(again.failures.size(), 1u);
  EXPECT_THAT(again.quarantine.added, IsEmpty()) << "it was there already";
  const auto record = records().at("bad.rpm");
  EXPECT_EQ(record.tries, 2u);
  EXPECT_EQ(record.tried - record.since, std::chrono::hours(1));
}

TEST_F(QuarantineTest, ChangedBytesAreReadAndTheRecordGoesByItself) {
  place_bad("bad.rpm");
  compare();
  place("bad.rpm", "mended");
  const auto report = compare();
  EXPECT_THAT(listed(), ElementsAre("bad.rpm mended-1-1.noarch"));
  EXPECT_THAT(report.quarantine.released, ElementsAre("bad.rpm"));
  EXPECT_EQ(report.quarantine.total, 0u);
  EXPECT_THAT(records(), IsEmpty());
  store.forget_requests();
  compare();
  EXPECT_THAT(requests_for("quarantine"), IsEmpty()) << "the listing shows that it is empty";
}

TEST_F(QuarantineTest, OtherBadBytesAreAnotherFailure) {
  place_bad("bad.rpm");
  compare();
  clock.advance(std::chrono::hours(1));
  place_bad("bad.rpm", "hello again");
  compare();
  const auto record = records().at("bad.rpm");
  EXPECT_EQ(record.size, 11u);
  EXPECT_EQ(record.since, clock.now());
  EXPECT_EQ(record.tries, 1u);
}

TEST_F(QuarantineTest, TheRecordOfWhatIsGoneGoesToo) {
  place_bad("bad.rpm");
  place_bad("worse.rpm");
  compare();
  store.drop("r/bad.rpm");
  EXPECT_THAT(compare().quarantine.released, ElementsAre("bad.rpm"));
  EXPECT_THAT(keys_of(records()), ElementsAre("worse.rpm"));
  repository.memory = &memory;
  compare();
  store.drop("r/worse.rpm");
  EXPECT_THAT(run(keys({"worse.rpm"})).quarantine.released, ElementsAre("worse.rpm")) << "by an event";
  EXPECT_THAT(records(), IsEmpty());
}

// I14: what is listed stays listed; now somebody can see that it is bad.
TEST_F(QuarantineTest, AListedPackageThatGoesBadStaysListed) {
  place("a.rpm", "a");
  compare();
  place_bad("a.rpm");
  compare();
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
  EXPECT_TRUE(records().at("a.rpm").is_listed);
  store.forget_requests();
  EXPECT_EQ(compare().quarantine.held.size(), 1u);
  EXPECT_THAT(requests_for("a.rpm"), IsEmpty());
  place("a.rpm", "a");
  EXPECT_THAT(compare().quarantine.released, ElementsAre("a.rpm"));
}

TEST_F(QuarantineTest, OtherRulesLookAgain) {
  place_bad("bad.rpm");
  compare();
  repository.policy.judge = "test 2";
  EXPECT_EQ(compare().failures.size(), 1u);
  EXPECT_EQ(records().at("bad.rpm").judge, "test 2");
  EXPECT_EQ(compare().quarantine.held.size(), 1u);
}

TEST_F(QuarantineTest, WhoAsksForEverythingGetsEverything) {
  place_bad("bad.rpm");
  compare();
  UpdateRequest all;
  all.reconcile = true;
  all.suspicion = Suspicion::reread;
  EXPECT_EQ(run(all).failures.size(), 1u);
  all.suspicion = Suspicion::usual;
  all.rebuild = true;
  EXPECT_EQ(run(all).failures.size(), 1u);
  EXPECT_EQ(records().at("bad.rpm").tries, 3u);
}

// What may pass is tried again as ever; it is written down when that has gone on for long enough.
TEST_F(QuarantineTest, WhatMayPassGoesThereLaterAndIsAlwaysLookedAt) {
  place("a.rpm", "a");
  store.before = [](const std::string& request) -> Result<void> {
    if (request.find("r/a.rpm") != std::string::npos) return Error{ErrorKind::denied, "403", {}};
    return {};
  };
  EXPECT_EQ(compare().failures.size(), 1u);
  EXPECT_THAT(records(), IsEmpty());
  UpdateRequest late;
  late.reconcile = late.quarantine_passing = true;
  EXPECT_THAT(run(late).quarantine.added, ElementsAre("a.rpm"));
  EXPECT_FALSE(records().at("a.rpm").stands);
  store.forget_requests();
  EXPECT_EQ(run(late).failures.size(), 1u) << "it is looked at again";
  EXPECT_EQ(puts(), 0u) << "and written down once in a while only";
  clock.advance(std::chrono::minutes(10));
  run(late);
  EXPECT_EQ(records().at("a.rpm").tries, 2u);
  store.before = nullptr;
  EXPECT_THAT(compare().quarantine.released, ElementsAre("a.rpm"));
  EXPECT_EQ(listed().size(), 1u);
}

// Refused because of another package: when that one goes, this one may come.
TEST_F(QuarantineTest, WhatDependsOnOthersIsLookedAtByEachComparison) {
  repository.policy.same_nevra = SameNevra::reject;
  place("a.rpm", "a");
  compare();
  place("copy/a.rpm", "a");
  compare();
  EXPECT_THAT(keys_of(records()), ElementsAre("copy/a.rpm"));
  store.drop("r/a.rpm");
  compare();
  compare();
  EXPECT_THAT(listed(), ElementsAre("copy/a.rpm a-1-1.noarch"));
  EXPECT_THAT(records(), IsEmpty());
}

// Two writers at the same moment: both records are there.
TEST_F(QuarantineTest, ALostRaceIsWrittenAgain) {
  place_bad("a.rpm");
  place_bad("b.rpm");
  bool raced = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_object && !std::exchange(raced, true)) run(keys({"b.rpm"}));
    return {};
  };
  run(keys({"a.rpm"}));
  EXPECT_TRUE(raced);
  EXPECT_THAT(keys_of(records()), ElementsAre("a.rpm", "b.rpm"));
}

TEST_F(QuarantineTest, WithoutConditionalWritesItIsWrittenInTurn) {
  for (const auto condition : {Condition::ignored, Condition::refused}) {
    store.set_conditions(condition);
    const std::string href = std::string(to_string(condition)) + ".rpm";
    place_bad(href);
    store.forget_requests();
    run(keys({href.c_str()}));
    EXPECT_THAT(keys_of(records()), Contains(href));
    const auto lease = requests_for("lease.json");
    EXPECT_THAT(lease, Not(IsEmpty()));
  }
  EXPECT_EQ(records().size(), 2u);
}

TEST_F(QuarantineTest, ADamagedOneIsReplacedAndALaterOneIsLeftAlone) {
  place_bad("bad.rpm");
  store.place(k_object, "garbage", k_uploaded);
  EXPECT_FALSE(compare().quarantine.failure);
  EXPECT_THAT(keys_of(records()), ElementsAre("bad.rpm"));
  const std::string later = "{\"format\": 2, \"what\": \"ever\"}";
  store.place(k_object, later, k_uploaded);
  place("good.rpm", "good");
  const auto report = compare();
  ASSERT_TRUE(report.quarantine.failure);
  EXPECT_EQ(report.quarantine.failure->kind, ErrorKind::unsupported);
  EXPECT_EQ(report.failures.size(), 1u);
  EXPECT_THAT(listed(), ElementsAre("good.rpm good-1-1.noarch")) << "that is no reason not to publish";
  EXPECT_EQ(store.contents().at(k_object).bytes, later);
}

// Who may not write it publishes all the same.
TEST_F(QuarantineTest, AFailureToWriteItIsTold) {
  place_bad("bad.rpm");
  place("good.rpm", "good");
  store.before = [](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_object) return Error{ErrorKind::denied, "403", {}};
    return {};
  };
  const auto report = compare();
  EXPECT_THAT(listed(), ElementsAre("good.rpm good-1-1.noarch"));
  ASSERT_TRUE(report.quarantine.failure);
  EXPECT_THAT(report.quarantine.failure->message, HasSubstr("quarantine of s3://b/r"));
  EXPECT_EQ(report.quarantine.not_recorded, 1u);
}

TEST_F(QuarantineTest, TurnedOffItDoesNotExist) {
  repository.quarantine.is_kept = false;
  place_bad("bad.rpm");
  EXPECT_EQ(compare().failures.size(), 1u);
  EXPECT_EQ(compare().failures.size(), 1u);
  EXPECT_FALSE(store.contents().contains(k_object));
}

TEST_F(QuarantineTest, ItMayBeKeptElsewhere) {
  MemoryObjectStore elsewhere;
  elsewhere.set_local();
  repository.quarantine = {.store = &elsewhere, .key = "b-r.json"};
  place_bad("bad.rpm");
  compare();
  EXPECT_FALSE(store.contents().contains(k_object));
  EXPECT_TRUE(elsewhere.contents().contains("b-r.json"));
  EXPECT_EQ(compare().quarantine.held.size(), 1u);
}

TEST_F(QuarantineTest, ADryRunWritesNothing) {
  place_bad("bad.rpm");
  UpdateRequest request;
  request.reconcile = request.dry_run = true;
  EXPECT_EQ(run(request).failures.size(), 1u);
  EXPECT_FALSE(store.contents().contains(k_object));
}

TEST_F(QuarantineTest, WhenItIsFullTheRestIsReportedEachTime) {
  UpdateRequest request;
  for (std::size_t i = 0; i < k_max_quarantined + 5; ++i) {
    const std::string href = std::to_string(10'000 + i) + ".rpm";
    place_bad(href);
    request.changes.keys[href];
  }
  const auto report = run(request);
  EXPECT_EQ(report.quarantine.total, k_max_quarantined);
  EXPECT_EQ(report.quarantine.not_recorded, 5u);
  EXPECT_EQ(report.quarantine.added.size(), k_max_quarantined);
  const auto again = compare();
  EXPECT_EQ(again.quarantine.held.size(), k_max_quarantined);
  EXPECT_EQ(again.failures.size(), 5u);
}

}  // namespace
}  // namespace repoupdate
