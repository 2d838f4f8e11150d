// SPDX-License-Identifier: Apache-2.0
// Updates of a repository in a store without conditional writes.
#include "sync/write_turn.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "sync/repository_memory.hpp"
#include "sync/repository_state.hpp"
#include "sync/sample_update.hpp"
#include "sync/update.hpp"
#include "sync/verify.hpp"
#include "testkit/fake_signer.hpp"
#include "testkit/memory_object_store.hpp"
#include "testkit/memory_scratch.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string k_pointer = "r/repodata/repomd.xml";
const std::string k_lease = "r/repodata/.repoupdate/lease.json";

class WriteTurnTest : public testing::TestWithParam<Condition> {
protected:
  WriteTurnTest() {
    store.set_conditions(GetParam());
    repository.policy.lease = {.length = std::chrono::seconds(30), .settle = Duration(50), .who = "test"};
    EXPECT_TRUE(create_repository(repository, clock).ok());
  }
  void place(const std::string& href) {
    store.place("r/" + href, build_package({href, "0", "1", "1", "noarch"}), SystemTime(std::chrono::seconds(1)));
  }
  static UpdateRequest key(const std::string& href) {
    UpdateRequest request;
    request.changes.keys[href];
    return request;
  }
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    auto state = load_state(repository);
    if (!state) return {state.error().text()};
    const auto packages = list_all(repository, *state);
    if (!packages) return {packages.error().text()};
    for (const auto& package : *packages) names.push_back(package.entry.location_href);
    return names;
  }
  std::string lease_owner() { return parse_lease(store.contents().at(k_lease).bytes)->owner; }

  MemoryObjectStore store;
  MemoryScratch scratch;
  SystemClock clock;  // the lease is renewed from a thread, which waits in real time
  Repository repository = sample_repository(store, scratch);
};

INSTANTIATE_TEST_SUITE_P(Stores, WriteTurnTest,
                         testing::Values(Condition::ignored, Condition::refused, Condition::never_met),
                         [](const auto& store) {
                           return store.param == Condition::never_met ? "NeverMet"
                                                                      : std::string(to_string(store.param));
                         });

TEST_P(WriteTurnTest, LeaseIsHeldWhileThePointerIsWrittenAndGivenBack) {
  place("a.rpm");
  std::string owner_at_put;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_pointer) owner_at_put = lease_owner();
    return {};
  };
  EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
  EXPECT_THAT(owner_at_put, HasSubstr("@test"));
  EXPECT_EQ(lease_owner(), "");
  EXPECT_THAT(listed(), ElementsAre("a.rpm"));
}

TEST_P(WriteTurnTest, NothingToPublishNeedsNoLease) {
  place("a.rpm");
  ASSERT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
  store.forget_requests();
  ASSERT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
  EXPECT_THAT(store.requests(), Not(Contains(HasSubstr(".repoupdate"))));
}

// I3, without If-Match: what somebody else published before we had the lease is not overwritten. The second pass
// is planned with the lease in hand.
TEST_P(WriteTurnTest, PointerThatMovedBeforeTheLeaseIsPlannedOnAgain) {
  place("a.rpm");
  place("b.rpm");
  bool raced = false, has_turn = false;
  std::atomic<int> claims = 0;  // files are put by several threads
  store.before = [&](const std::string& request) -> Result<void> {
    claims += request == "PUT " + k_lease;
    // A claim that this machine was too slow for was made again by then.
    if (request == "HEAD " + k_pointer && raced && !std::exchange(has_turn, true)) claims = 0;
    if (request.starts_with("HEAD r/repodata/") && request.ends_with("-primary.xml.gz") &&
        !std::exchange(raced, true)) {
      EXPECT_TRUE(update(repository, key("b.rpm"), clock, {}).ok());
      has_turn = false;
    }
    return {};
  };
  const auto report = update(repository, key("a.rpm"), clock, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->lost_races, 1);
  EXPECT_EQ(claims, 1);  // kept for the second pass, and given back once
  EXPECT_THAT(listed(), ElementsAre("a.rpm", "b.rpm"));
}

// Who lost the lease meanwhile does not write, and tries again.
TEST_P(WriteTurnTest, LostLeaseKeepsThePointerUntouched) {
  place("a.rpm");
  bool stolen = false;
  std::atomic<int> pointers = 0;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "HEAD " + k_pointer && !std::exchange(stolen, true))
      store.place(k_lease, to_json({"", 9, 0, std::chrono::seconds(30), {}}), clock.now());
    pointers += request == "PUT " + k_pointer && lease_owner().empty();
    return {};
  };
  const auto report = update(repository, key("a.rpm"), clock, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->lost_races, 1);
  EXPECT_EQ(pointers, 0);
  EXPECT_THAT(listed(), ElementsAre("a.rpm"));
}

// No attempt of the PUT may come after somebody else may hold the lease.
TEST_P(WriteTurnTest, PointerIsPutBeforeTheLeaseEndsOrNotAtAll) {
  place("a.rpm");
  const SteadyTime start = clock.steady();
  EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
  const auto deadline = store.contents().at(k_pointer).options.deadline;
  ASSERT_TRUE(deadline);
  EXPECT_GT(*deadline, start);
  EXPECT_LE(*deadline, clock.steady() + repository.policy.lease.length - repository.policy.lease.settle);
}

// What has not been answered may arrive as long as the lease says that nobody else writes.
TEST_P(WriteTurnTest, TurnOfAPutWithoutAnAnswerEndsByItself) {
  place("a.rpm");
  ErrorKind kind = ErrorKind::denied;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_pointer) return Error{kind, "failed", {}};
    return {};
  };
  EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).failed_with(ErrorKind::denied));
  EXPECT_EQ(lease_owner(), "") << "nothing is under way";
  kind = ErrorKind::timed_out;
  EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).failed_with(ErrorKind::timed_out));
  EXPECT_THAT(lease_owner(), HasSubstr("@test"));
}

// Its writer stood still for longer than its lease, and comes over what another one published meanwhile.
class OverwritingTest : public WriteTurnTest {
protected:
  OverwritingTest() {
    for (const auto* href : {"a.rpm", "old.rpm", "replaced.rpm"}) place(href);
    EXPECT_TRUE(update(repository, key("replaced.rpm"), clock, {}).ok());
    EXPECT_TRUE(update(repository, key("old.rpm"), clock, {}).ok());
    store.before = [this](const std::string& request) -> Result<void> {
      if (request == "PUT " + k_pointer && !std::exchange(stood_still, true)) publish_another();
      return {};
    };
  }
  void publish_another() {
    store.place(k_lease, to_json({"", 9, 0, std::chrono::seconds(30), {}}), clock.now());
    place("new.rpm");
    store.place("r/replaced.rpm", build_package({"replaced.rpm", "0", "2", "1", "noarch"}),
                SystemTime(std::chrono::seconds(2)));  // long before the metadata that are overwritten
    store.drop("r/old.rpm");
    UpdateRequest request;
    for (const auto* href : {"new.rpm", "old.rpm", "replaced.rpm"}) request.changes.keys[href];
    EXPECT_TRUE(update(repository, request, clock, {}).ok());
    EXPECT_THAT(listed(), ElementsAre("new.rpm", "replaced.rpm"));
  }
  void expect_sound() {
    const auto outcome = verify(repository, true, {});
    ASSERT_TRUE(outcome.ok()) << outcome.error().text();
    for (const auto& problem : outcome->problems) ADD_FAILURE() << problem.key << ' ' << problem.what;
  }

  bool stood_still = false;
};

INSTANTIATE_TEST_SUITE_P(Stores, OverwritingTest,
                         testing::Values(Condition::ignored, Condition::refused, Condition::never_met),
                         [](const auto& store) {
                           return store.param == Condition::never_met ? "NeverMet"
                                                                      : std::string(to_string(store.param));
                         });

TEST_P(OverwritingTest, WhatAnEventPublishedOverIsListedAgain) {
  EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
  EXPECT_TRUE(stood_still);
  EXPECT_THAT(listed(), ElementsAre("a.rpm", "new.rpm", "replaced.rpm"));
  expect_sound();
}

// Its listing is older than what it published over.
TEST_P(OverwritingTest, WhatAReconcilePublishedOverIsListedAgain) {
  UpdateRequest request;
  request.reconcile = true;
  EXPECT_TRUE(update(repository, request, clock, {}).ok());
  EXPECT_TRUE(stood_still);
  EXPECT_THAT(listed(), ElementsAre("a.rpm", "new.rpm", "replaced.rpm"));
  expect_sound();
}

// The network that held up the PUT fails for something else as well.
class OverwritingAndFailingTest : public OverwritingTest {
protected:
  // Makes the first request that begins so fail once, after the PUT that comes over another one's publication.
  void fail_after_it(const std::string& first) {
    const auto publishes_another = std::exchange(store.before, {});
    store.before = [=, this](const std::string& request) -> Result<void> {
      if (request == "PUT " + k_pointer && !stood_still) {
        EXPECT_TRUE(publishes_another(request).ok());
        is_over = true;
      }
      if (is_over && request.starts_with(first) && !has_failed.exchange(true))
        return Error{ErrorKind::unavailable, "reset", {}};
      return {};
    };
  }
  void expect_listed_again_by_the_next_one() {
    repository.memory = &memory;
    const auto failed = update(repository, key("a.rpm"), clock, {});
    ASSERT_TRUE(failed.failed_with(ErrorKind::unavailable));
    EXPECT_THAT(failed.error().text(), HasSubstr("listed again by `repoupdate update --reread`"));
    EXPECT_TRUE(is_over);
    EXPECT_THAT(listed(), ElementsAre("a.rpm", "old.rpm", "replaced.rpm"));
    EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
    EXPECT_THAT(listed(), ElementsAre("a.rpm", "new.rpm", "replaced.rpm"));
    expect_sound();
    store.forget_requests();
    EXPECT_TRUE(update(repository, key("a.rpm"), clock, {}).ok());
    EXPECT_THAT(store.requests(), Not(Contains(HasSubstr("LIST")))) << "once is enough";
  }

  std::atomic<bool> is_over = false, has_failed = false;
  RepositoryMemory memory{MemoryLimits{}};
};

INSTANTIATE_TEST_SUITE_P(Stores, OverwritingAndFailingTest, testing::Values(Condition::ignored),
                         [](const auto& store) { return std::string(to_string(store.param)); });

TEST_P(OverwritingAndFailingTest, AtTheListing) {
  fail_after_it("LIST r/");
  expect_listed_again_by_the_next_one();
}

TEST_P(OverwritingAndFailingTest, AtTheSignature) {
  FakeSigner signer;
  repository.signer = &signer;
  fail_after_it("PUT r/repodata/repomd.xml.asc");
  expect_listed_again_by_the_next_one();
  repository.signer = nullptr;
}

TEST_P(WriteTurnTest, RepositoryThatIsMadeTooLateIsNotCalledOnesOwn) {
  Repository other = repository;
  other.prefix = "other/";
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT other/repodata/repomd.xml")
      store.place("other/repodata/.repoupdate/lease.json", to_json({"", 9, 0, std::chrono::seconds(30), {}}),
                  clock.now());
    return {};
  };
  EXPECT_TRUE(create_repository(other, clock).failed_with(ErrorKind::conflict));
}

// Its object is there until update() is done.
TEST_P(OverwritingTest, ExplicitRemovalStays) {
  UpdateRequest request;
  request.changes.removals = {"replaced.rpm"};
  EXPECT_TRUE(update(repository, request, clock, {}).ok());
  EXPECT_TRUE(stood_still);
  EXPECT_THAT(listed(), ElementsAre("a.rpm", "new.rpm"));
}

TEST_P(WriteTurnTest, WritersAtTheSameTimeLoseNothing) {
  constexpr int k_writers = 3, k_packages = 3;
  std::vector<std::string> all;
  for (int i = 0; i < k_writers * k_packages; ++i) {
    all.push_back(std::to_string(i) + ".rpm");
    place(all.back());
  }
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < k_writers; ++writer)
      writers.emplace_back([&, writer] {
        for (int i = 0; i < k_packages; ++i) {
          const auto report = update(repository, key(all[writer * k_packages + i]), clock, {});
          EXPECT_TRUE(report.ok()) << report.error().text();
        }
      });
  }
  EXPECT_THAT(listed(), testing::UnorderedElementsAreArray(all));
  const auto outcome = verify(repository, true, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  for (const auto& problem : outcome->problems) ADD_FAILURE() << problem.key << ' ' << problem.what;
}

// I1: without If-None-Match it is looked first, and what is damaged is put again without If-Match.
TEST_P(WriteTurnTest, HashedFileWithOtherBytesIsPutAgain) {
  place("a.rpm");
  std::string damaged;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request.starts_with("HEAD r/repodata/") && request.ends_with("-other.xml.gz") && damaged.empty()) {
      damaged = request.substr(5);
      store.place(damaged, "other bytes", SystemTime(std::chrono::seconds(1)));
    }
    return {};
  };
  const auto report = update(repository, key("a.rpm"), clock, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_THAT(report->repaired, ElementsAre(damaged.substr(2)));
  const auto outcome = verify(repository, true, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().text();
  EXPECT_THAT(outcome->problems, testing::IsEmpty());
}

}  // namespace
}  // namespace repoupdate
