// SPDX-License-Identifier: Apache-2.0
// Sweeps of a repository that is published to, and the races between the two.
#include "sync/sweep.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

#include "base/hash.hpp"
#include "model/location_href.hpp"
#include "sync/sample_update.hpp"
#include "sync/sweep_claim.hpp"
#include "testkit/faulty_object_store.hpp"

namespace repoupdate {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

const std::string k_claim = "r/repodata/.repoupdate/sweeping.txt";
const std::string k_notes = "r/repodata/.repoupdate/sweep.txt";
const std::string k_pointer = "r/repodata/repomd.xml";

class SweepTest : public UpdateTest {
protected:
  SweepTest() {
    store.time = [this] { return clock.now(); };
    repository.policy.sweep = {.grace = hours(24), .generations = 0};
    place("a.rpm", "a");
    run(keys({"a.rpm"}));
  }
  SweepReport sweep_now(bool dry_run = false) {
    auto report = sweep(repository, dry_run, clock, {});
    EXPECT_TRUE(report.ok()) << (report ? "" : report.error().text());
    return report ? *std::move(report) : SweepReport{};
  }
  // Adds a package, or takes it away again.
  void add(const std::string& name) {
    place(name + ".rpm", name);
    run(keys({name + ".rpm"}));
  }
  void take_away(const std::string& name) {
    store.drop("r/" + name + ".rpm");
    run(keys({name + ".rpm"}));
  }
  // The metadata files that repomd.xml names.
  std::vector<std::string> named() const {
    std::vector<std::string> keys;
    const auto repomd = parse_repomd(store.contents().at(k_pointer).bytes);
    if (!repomd) return keys;
    for (const auto& record : repomd->records) keys.push_back("r/" + record.location_href);
    return keys;
  }
  bool all_there(const std::vector<std::string>& keys) const {
    const auto contents = store.contents();
    return std::ranges::all_of(keys, [&](const auto& key) { return contents.contains(key); });
  }
  bool none_there(const std::vector<std::string>& keys) const {
    const auto contents = store.contents();
    return std::ranges::none_of(keys, [&](const auto& key) { return contents.contains(key); });
  }
  std::size_t count(const std::string& request) const {
    const auto requests = store.requests();
    return static_cast<std::size_t>(std::ranges::count(requests, request));
  }
  // Metadata of {a}, superseded by {a, b}, for so long that they may go. Naming them again is taking b away.
  std::vector<std::string> superseded_long_ago() {
    auto keys = named();
    add("b");
    clock.advance(hours(30));
    return keys;
  }
  static UpdateRequest without_b() { return keys({"b.rpm"}); }
  // A publication names old files again when a sweep is about to delete one of them. `are_put` just before that, by
  // somebody else: also those that the sweep's other workers have deleted by then.
  void publish_before_a_deletion(bool are_put) {
    const auto old = superseded_long_ago();
    const auto contents = store.contents();
    store.drop("r/b.rpm");
    std::jthread publication;
    SystemClock real;  // the publication waits in real time
    std::atomic<bool> began = false, ended = false;
    store.before = [&](const std::string& request) -> Result<void> {
      if (request != "DELETE " + old[0] || began.exchange(true)) return {};
      for (const auto& key : old)
        if (are_put) store.place(key, contents.at(key).bytes, clock.now());
      publication = std::jthread([&] {
        EXPECT_TRUE(update(repository, without_b(), real, {}).ok());
        ended = true;
      });
      while (count("HEAD " + k_claim) < 2 && !ended)
        std::this_thread::yield();  // the sweep's own, and that of who waits
      EXPECT_EQ(store.contents().at(old[0]).last_modified, clock.now()) << "it was put again";
      return {};
    };
    sweep_now();
    publication.join();
    store.before = {};
    EXPECT_EQ(named(), old);
    EXPECT_TRUE(all_there(old));
    expect_sound();
  }
};

// I10, hour by hour, with a sweep after each publication.
TEST_F(SweepTest, WhoeverHoldsAnOldRepomdFindsItsFilesForTheGracePeriod) {
  repository.policy.sweep.generations = 2;
  struct Generation {
    std::vector<std::string> files;
    SystemTime superseded;
  };
  std::deque<Generation> old;
  std::size_t removed = 0;
  for (int hour = 0; hour < 60; ++hour) {
    auto files = named();
    add("p" + std::to_string(hour));
    old.push_back({std::move(files), clock.now()});
    clock.advance(minutes(30));
    removed += sweep_now().removed();
    for (std::size_t i = 0; i < old.size(); ++i) {
      const bool is_young = clock.now() - old[i].superseded < hours(24);
      const bool is_gone = clock.now() - old[i].superseded > hours(26) && i + 2 < old.size();
      EXPECT_TRUE(!is_young || all_there(old[i].files)) << "hour " << hour << ", superseded by publication " << i;
      EXPECT_TRUE(!is_gone || none_there(old[i].files)) << "hour " << hour << ", superseded by publication " << i;
    }
    clock.advance(minutes(30));
  }
  EXPECT_GE(removed, 3u * 30);
  expect_sound();
}

TEST_F(SweepTest, ExactlyTheRightFilesGo) {
  const auto first = named();
  add("b");
  const auto second = named();
  store.place("r/repodata/notes.txt", "mine", k_uploaded);
  store.place("r/repodata/" + sha256_hex("of a crash") + "-other.xml.gz", "of a crash", k_uploaded);
  store.place("r/repodata/" + std::string(64, '0') + "-comps.xml", "of somebody", k_uploaded);
  store.place("r/repodata2/" + std::string(64, '0') + "-other.xml.gz", "not below repodata/", k_uploaded);
  store.place("repodata/" + std::string(64, '0') + "-other.xml.gz", "of another repository", k_uploaded);
  clock.advance(hours(25));
  const auto before = store.contents();
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 7u);  // three, the three of the empty repository, one of the crash
  EXPECT_TRUE(none_there(first));
  EXPECT_TRUE(all_there(second));
  EXPECT_EQ(store.contents().size(), before.size() - 7);  // and there is nothing to take note of
  EXPECT_TRUE(all_there({"r/repodata/notes.txt", "r/repodata/" + std::string(64, '0') + "-comps.xml",
                         "r/repodata2/" + std::string(64, '0') + "-other.xml.gz",
                         "repodata/" + std::string(64, '0') + "-other.xml.gz"}));
  expect_sound();
  EXPECT_EQ(sweep_now().removed(), 0u);
}

TEST_F(SweepTest, ADryRunTellsAndChangesNothing) {
  superseded_long_ago();
  const auto before = store.contents();
  store.forget_requests();
  EXPECT_EQ(sweep_now(true).removed(), 6u);
  EXPECT_EQ(store.contents().size(), before.size());
  EXPECT_THAT(store.requests(), Not(Contains(StartsWith("PUT"))));
  EXPECT_THAT(store.requests(), Not(Contains(StartsWith("DELETE"))));
}

TEST_F(SweepTest, NothingToDoIsOneListingAndFourOtherRequests) {
  sweep_now();
  clock.advance(hours(2));
  sweep_now();
  store.forget_requests();
  sweep_now();
  EXPECT_THAT(store.requests(),
              testing::ElementsAre("GET " + k_notes, "LIST r/repodata/", "GET " + k_pointer, "UPLOADS r/repodata/"));
}

TEST_F(SweepTest, WithoutARepositoryNothingIsSuperseded) {
  superseded_long_ago();
  store.drop(k_pointer);
  EXPECT_TRUE(sweep(repository, false, clock, {}).failed_with(ErrorKind::not_found));
  store.place(k_pointer, "<repomd", k_uploaded);
  const auto damaged = sweep(repository, false, clock, {});
  ASSERT_TRUE(damaged.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(damaged.error().text(), HasSubstr("--rebuild"));
  EXPECT_THAT(store.requests(), Not(Contains(StartsWith("DELETE"))));
}

// 403 for one costs the others nothing, and is told.
TEST_F(SweepTest, WhatCannotBeRemovedIsToldAndTheRestGoes) {
  const auto old = superseded_long_ago();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "DELETE " + old[0]) return Error{ErrorKind::denied, "403", {}};
    return {};
  };
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 5u);
  EXPECT_EQ(report.failed(), 1u);
  EXPECT_TRUE(all_there({old[0]}));
  store.before = {};
  EXPECT_EQ(sweep_now().removed(), 1u);
}

// As after months without a sweep: each does what it can, the oldest first, and the newest generations stay.
TEST_F(SweepTest, MoreThanOneSweepCanDoIsLeftToTheNext) {
  repository.policy.sweep = {.grace = hours(24), .generations = 2, .most = 10};
  std::vector<std::vector<std::string>> old;
  for (int i = 0; i < 20; ++i) {
    old.push_back(named());
    add("p" + std::to_string(i));
    clock.advance(minutes(1));
  }
  store.place("r/repodata/notes.txt", "mine", k_uploaded);
  clock.advance(hours(30));
  std::size_t sweeps = 0;
  for (bool is_partial = true; is_partial && sweeps < 100; ++sweeps) {
    const auto report = sweep_now();
    is_partial = report.is_partial;
    EXPECT_LE(report.removed(), 10u);
    EXPECT_TRUE(all_there(old[18]) && all_there(old[19]));
    EXPECT_LE(report.items.size(), 20u);
  }
  EXPECT_GT(sweeps, 5u);
  for (std::size_t i = 0; i < 18; ++i) EXPECT_TRUE(none_there(old[i])) << i;
  EXPECT_TRUE(all_there({"r/repodata/notes.txt"}));
  expect_sound();
}

// Nothing but the notes tells that these may go.
TEST_F(SweepTest, WhatANoteMakesKnownIsNotForgottenAmongMany) {
  repository.policy.sweep.most = 4;
  const std::string foreign = "r/repodata/primary.xml.gz";
  ASSERT_TRUE(note_superseded(repository, {"repodata/primary.xml.gz"}).ok());
  for (int i = 0; i < 5; ++i) add("p" + std::to_string(i));
  store.place(foreign, "of another tool", clock.now());  // the newest
  clock.advance(hours(2));
  EXPECT_FALSE(sweep_now().is_partial) << "nothing to remove yet";
  for (int i = 0; i < 30; ++i) {
    clock.advance(hours(1));
    sweep_now();
  }
  EXPECT_TRUE(none_there({foreign}));
  EXPECT_FALSE(sweep_now().is_partial);
  expect_sound();
}

// What stands under such a name is not what this program has put there.
TEST_F(SweepTest, AFileWithOtherBytesThanItsNameSaysStays) {
  const std::string strange = "r/repodata/" + std::string(64, '0') + "-primary.xml.gz";
  PutOptions options;
  ASSERT_TRUE(store.put(strange, "other bytes", options).ok());
  clock.advance(hours(30));
  const auto report = sweep_now();
  EXPECT_TRUE(all_there({strange}));
  EXPECT_EQ(report.removed(), 3u);
  EXPECT_EQ(report.failed(), 0u);
}

// createrepo_c's names tell nothing of where they are from: that they were superseded is remembered.
TEST_F(SweepTest, MetadataOfAnotherToolGoWhenTheyWereTakenOver) {
  std::string text = store.contents().at(k_pointer).bytes;
  std::vector<std::string> old;
  for (const auto& about : k_metadata_kinds) {
    const std::string name = std::string(about.name) + ".xml.gz";
    for (const auto& key : named()) {
      if (!key.ends_with('-' + name)) continue;
      store.place("r/repodata/" + name, store.contents().at(key).bytes, k_uploaded);
      text.replace(text.find(basename_of(key)), basename_of(key).size(), name);
    }
    old.push_back("r/repodata/" + name);
  }
  store.place(k_pointer, text, clock.now());
  expect_sound();
  add("b");
  EXPECT_EQ(count("PUT " + k_notes), 1u);
  add("c");
  EXPECT_EQ(count("PUT " + k_notes), 1u) << "only what is taken over costs that";
  clock.advance(hours(23));
  sweep_now();
  EXPECT_TRUE(all_there(old));
  clock.advance(hours(2));
  sweep_now();
  EXPECT_TRUE(none_there(old));
  expect_sound();
}

TEST_F(SweepTest, OnlyOurOwnAbandonedUploadsAreDropped) {
  const std::string ours = "r/repodata/" + std::string(64, '0') + "-primary.xml.gz";
  const auto begun = [&](Duration ago) { return std::chrono::floor<std::chrono::seconds>(clock.now() - ago); };
  store.begin_upload({ours, "old", begun(hours(25))});
  store.begin_upload({ours, "young", begun(hours(23))});
  store.begin_upload({"r/repodata/somebody's", "theirs", begun(hours(1000))});
  store.begin_upload({"r/large.rpm", "package", begun(hours(1000))});
  EXPECT_THAT(sweep_now().uploads, SizeIs(1));
  EXPECT_THAT(store.requests(), Contains("DROP " + ours + " old"));
  EXPECT_EQ(store.list_uploads("r/", {})->uploads.size(), 3u);
}

// ---- two sweeps ------------------------------------------------------------------------------------------------

TEST_F(SweepTest, OneSweepAtATime) {
  superseded_long_ago();
  Result<SweepReport> other = SweepReport{};
  store.before = [&](const std::string& request) -> Result<void> {
    if (!request.starts_with("DELETE r/repodata/") || request == "DELETE " + k_claim) return {};
    store.before = {};
    other = sweep(repository, false, clock, {});
    return {};
  };
  repository.policy.requests = 1;
  EXPECT_EQ(sweep_now().removed(), 6u);
  EXPECT_TRUE(other.failed_with(ErrorKind::conflict));
  EXPECT_TRUE(none_there({k_claim}));
  expect_sound();
}

TEST_F(SweepTest, TheClaimOfACrashedSweepIsTakenOver) {
  superseded_long_ago();
  store.place(k_claim, "somebody", clock.now());
  EXPECT_TRUE(sweep(repository, false, clock, {}).failed_with(ErrorKind::conflict));
  clock.advance(k_sweep_believed + minutes(1));
  EXPECT_EQ(sweep_now().removed(), 6u);
  EXPECT_TRUE(none_there({k_claim}));
}

// ---- a sweep and a publication that names again what was superseded ----------------------------------------------

// A publication finds the old files there, and must not believe that they stay.
TEST_F(SweepTest, OldFilesArePutAgainBeforeTheyAreNamedAgain) {
  const auto old = superseded_long_ago();
  store.forget_requests();
  take_away("b");
  EXPECT_EQ(named(), old);
  for (const auto& key : old) {
    EXPECT_EQ(count("PUT " + key), 2u) << key << ": one that finds it, one that renews it";
    EXPECT_EQ(store.contents().at(key).last_modified, clock.now());
  }
  EXPECT_EQ(count("HEAD " + k_claim), 1u);
}

TEST_F(SweepTest, YoungFilesAreNotPutAgain) {
  const auto old = named();
  add("b");
  store.forget_requests();
  take_away("b");
  EXPECT_EQ(named(), old);
  for (const auto& key : old) EXPECT_EQ(count("PUT " + key), 1u);
  EXPECT_EQ(count("HEAD " + k_claim), 1u) << "somebody may have renewed them behind the last look of a sweep";
}

TEST_F(SweepTest, ARebuildOfWhatIsNamedPutsNothingAgain) {
  clock.advance(hours(30));
  store.forget_requests();
  UpdateRequest request;
  request.rebuild = true;
  run(request);
  for (const auto& key : named()) EXPECT_EQ(count("PUT " + key), 1u);
  EXPECT_EQ(count("HEAD " + k_claim), 0u);
}

// The publication comes when the sweep has planned and not claimed yet.
TEST_F(SweepTest, NamedAgainBeforeTheClaimStays) {
  const auto old = superseded_long_ago();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request != "PUT " + k_claim) return {};
    store.before = {};
    take_away("b");
    return {};
  };
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 3u);  // of the empty repository
  EXPECT_TRUE(all_there(old));
  EXPECT_EQ(named(), old);
  expect_sound();
}

// It has put the files again and not named them yet when the sweep takes its last look.
TEST_F(SweepTest, PutAgainBeforeTheLastLookStays) {
  const auto old = superseded_long_ago();
  repository.policy.requests = 1;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "HEAD " + old[0]) store.place(old[0], store.contents().at(old[0]).bytes, clock.now());
    return {};
  };
  EXPECT_EQ(sweep_now().removed(), 5u);
  EXPECT_TRUE(all_there({old[0]}));
}

// The narrowest of them: put again between the last look and the deletion. Here the publication waits for the sweep,
// and puts what the sweep took once more. The same with another publication beside it, which has just put them.
TEST_F(SweepTest, PutAgainBetweenTheLastLookAndTheDeletionIsPutOnceMore) {
  publish_before_a_deletion(false);
}
TEST_F(SweepTest, FoundAgainBetweenTheLastLookAndTheDeletionIsPutOnceMore) {
  publish_before_a_deletion(true);
}

// A deletion has its effect and is not answered, and before anybody could repeat it a publication puts the files that
// the sweep took away. It sees no sweep: nothing was there that it would have put again.
TEST_F(SweepTest, ADeletionThatIsNotAnsweredTakesNothingAwayThatIsPutAfterIt) {
  const auto old = superseded_long_ago();
  repository.policy.requests = 1;
  FaultyObjectStore faulty(store);
  Repository seen_by_sweep = repository;
  seen_by_sweep.store = &faulty;
  std::string last;
  faulty.on_call = [&](const std::string& call) {
    if (!call.starts_with("DELETE ")) return Fault::none;
    const auto is_left = [&](const std::string& key) { return call != "DELETE " + key && all_there({key}); };
    if (!last.empty() || std::ranges::any_of(old, is_left)) return Fault::none;
    last = call;
    return Fault::timeout_after;
  };
  faulty.after_effect = [&](const std::string& call) {
    if (last.empty() || call != last) return;
    last += " of before";
    take_away("b");
  };
  ASSERT_TRUE(sweep(seen_by_sweep, false, clock, {}).ok());
  EXPECT_EQ(named(), old);
  EXPECT_TRUE(all_there(old));
  EXPECT_TRUE(all_there({k_claim})) << "nobody knows whether the deletion is on its way still";
  expect_sound();
}

TEST_F(SweepTest, ADeletionThatMayBeOnItsWayIsNotRepeatedAndTheClaimStays) {
  const auto old = superseded_long_ago();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "DELETE " + old[0]) return Error{ErrorKind::timed_out, "no answer", {}};
    return {};
  };
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 5u);
  EXPECT_EQ(report.failed(), 1u);
  EXPECT_EQ(count("DELETE " + old[0]), 1u);
  EXPECT_TRUE(all_there({k_claim}));
  store.before = {};
  EXPECT_TRUE(sweep(repository, false, clock, {}).failed_with(ErrorKind::conflict));
  clock.advance(k_sweep_believed + minutes(1));
  EXPECT_EQ(sweep_now().removed(), 1u);
  EXPECT_TRUE(none_there({k_claim}));
}

TEST_F(SweepTest, AFileThatIsGoneTellsWhatBecameOfItsDeletion) {
  const auto old = superseded_long_ago();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request != "DELETE " + old[0]) return {};
    store.drop(old[0]);
    return Error{ErrorKind::unavailable, "500", {}};
  };
  EXPECT_EQ(sweep_now().removed(), 6u);
  EXPECT_TRUE(none_there({k_claim}));
}

// 503 SlowDown: nothing was done. Meanwhile somebody may have put the file again.
TEST_F(SweepTest, ADeletionThatIsRefusedAsTooManyIsRepeatedAfterAnotherLook) {
  const auto old = superseded_long_ago();
  repository.policy.requests = 1;
  store.before = [&](const std::string& request) -> Result<void> {
    if (!request.starts_with("DELETE r/repodata/") || count(request) > 1) return {};
    if (request == "DELETE " + old[0]) store.place(old[0], store.contents().at(old[0]).bytes, clock.now());
    return Error{ErrorKind::throttled, "503", {}};
  };
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 5u);
  EXPECT_EQ(report.failed(), 0u);
  EXPECT_TRUE(all_there({old[0]}));
  EXPECT_EQ(count("HEAD " + old[1]), count("DELETE " + old[1]));
}

// A deletion that leaves late, or is held up on its way, must not arrive when nobody expects it any more.
TEST_F(SweepTest, EveryDeletionGoesOnceAndInTime) {
  superseded_long_ago();
  const SteadyTime began = clock.steady();
  const SystemTime now = clock.now();
  store.on_remove = [&](const std::string& key, const RemoveOptions& options) {
    EXPECT_TRUE(options.once) << key;
    EXPECT_EQ(options.deadline, began + (key == k_claim ? k_release_within : k_sweep_within)) << key;
    EXPECT_EQ(options.decided, now) << key;
  };
  EXPECT_EQ(sweep_now().removed(), 6u);
}

// From before the claim was made: the store's time of it is what others go by.
TEST_F(SweepTest, AMachineThatSleptOverItsClaimDeletesNothing) {
  superseded_long_ago();
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + k_claim) clock.advance(k_sweep_within + minutes(1));
    return {};
  };
  EXPECT_EQ(sweep_now().removed(), 0u);
}

// A crashed sweep does not hold up publications for ever.
TEST_F(SweepTest, APublicationWaitsForACrashedSweepHalfAnHourAtMost) {
  const auto old = superseded_long_ago();
  store.place(k_claim, "somebody", clock.now());
  const SystemTime began = clock.now();
  take_away("b");
  EXPECT_EQ(named(), old);
  EXPECT_LE(clock.now() - began, k_sweep_believed + minutes(3));
  expect_sound();
}

// ---- a publication that takes too long ---------------------------------------------------------------------------

TEST_F(SweepTest, APublicationThatTookLongLooksAtItsFilesAgain) {
  repository.policy.requests = 1;
  std::string first;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request.starts_with("PUT r/repodata/") && first.empty()) first = request.substr(4);
    if (request.starts_with("PUT r/repodata/") && request.ends_with("-other.xml.gz")) {
      store.before = {};
      clock.advance(hours(26));
      store.drop(first);  // as a sweep may, which takes it for what a crash left
    }
    return {};
  };
  add("b");
  EXPECT_EQ(count("PUT " + first), 2u);
  expect_sound();
}

TEST_F(SweepTest, AMachineThatSleptWhileItWroteThePointerPutsItsFilesAgain) {
  store.before = [&](const std::string& request) -> Result<void> {
    if (request != "PUT " + k_pointer) return {};
    store.before = {};
    clock.advance(hours(26));
    for (const auto& done : store.requests())
      if (done.starts_with("PUT r/repodata/") && done.ends_with("-primary.xml.gz")) store.drop(done.substr(4));
    return {};
  };
  add("b");
  expect_sound();
}

TEST_F(SweepTest, ASweepThatIsTooSlowStopsDeleting) {
  superseded_long_ago();
  repository.policy.requests = 1;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request.starts_with("DELETE")) clock.advance(k_sweep_within + Duration(1000));
    return {};
  };
  const auto report = sweep_now();
  EXPECT_EQ(report.removed(), 1u);
  EXPECT_TRUE(report.is_partial);
  store.before = {};
  EXPECT_EQ(sweep_now().removed(), 5u);
}

// ---- a store without conditional writes -------------------------------------------------------------------------

TEST_F(SweepTest, WorksWithoutConditionalWrites) {
  const auto old = superseded_long_ago();
  store.set_conditions(Condition::refused);
  repository.policy.lease = {.length = std::chrono::seconds(30), .settle = Duration(50), .who = "test"};
  SystemClock real;
  const auto report = sweep(repository, false, real, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->removed(), 6u);
  EXPECT_TRUE(none_there(old));
  expect_sound();
}

}  // namespace
}  // namespace repoupdate
