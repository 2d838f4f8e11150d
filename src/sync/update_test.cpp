// SPDX-License-Identifier: Apache-2.0
#include "sync/update.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "base/hash.hpp"
#include "repodata/repomd.hpp"
#include "repodata/segment_container.hpp"
#include "sync/look.hpp"
#include "sync/sample_update.hpp"
#include "sync/spill.hpp"
#include "testkit/faulty_object_store.hpp"

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

TEST_F(UpdateTest, AddedReplacedAndRemovedPackagesAreVisible) {
  place("a.rpm", "a");
  place("sub/b.rpm", "b");
  EXPECT_EQ(run(keys({"a.rpm", "sub/b.rpm"})).added(), 2u);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "sub/b.rpm b-1-1.noarch"));

  place("a.rpm", "a", "2");
  store.drop("r/sub/b.rpm");
  const auto report = run(keys({"a.rpm", "sub/b.rpm"}));
  EXPECT_EQ(report.replaced(), 1u);
  EXPECT_EQ(report.removed(), 1u);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-2-1.noarch"));
  expect_sound();
}

// They are read in batches, and what is wrong with one of a batch is its own.
TEST_F(UpdateTest, ManyPackagesAtOnceAreEachJudgedAlone) {
  repository.policy.ingest.deny_names = {"denied"};
  UpdateRequest request;
  std::vector<std::string> expected, failing;
  for (int i = 1000; i < 1600; ++i) {
    const std::string href = std::to_string(i) + ".rpm";
    std::string name = "p" + std::to_string(i);
    request.changes.keys[href].said_gone = true;
    if (i % 50 == 0) continue;  // not there
    if (i % 50 == 1) name = "denied";
    const std::size_t files = i % 200 == 3 ? 20'000 : 1;  // a header beyond its first 128 KiB
    const std::size_t payload = i % 10 < 5 ? 64 : 200'000;
    std::string bytes = build_package({name, "0", "1", "1", "noarch"}, payload, {.files = files});
    if (i % 50 == 2) bytes[bytes.find("noarch")] ^= 1;  // its header has another digest
    if (i % 50 == 4) bytes = "no package";
    (i % 50 < 5 && i % 50 != 3 ? failing : expected).push_back(href);
    store.place("r/" + href, bytes, k_uploaded, i % 3 != 0);
  }
  std::mutex mutex;
  std::set<std::string> seen;
  store.on_the_way = [&](const std::string& of, std::string& bytes) {  // each arrives damaged once
    const std::scoped_lock lock(mutex);
    const auto in_header = bytes.find("noarch");
    if (in_header != bytes.npos && seen.insert(of).second) bytes[in_header] ^= 1;
  };
  const auto report = run(request);
  std::vector<std::string> failed, names;
  for (const auto& failure : report.failures) failed.push_back(failure.href);
  for (const auto& href : expected) names.push_back(href + " p" + href.substr(0, 4) + "-1-1.noarch");
  EXPECT_THAT(failed, testing::UnorderedElementsAreArray(failing));
  EXPECT_EQ(report.added(), expected.size());
  EXPECT_EQ(listed(), names);
  store.on_the_way = nullptr;
  expect_sound();
}

TEST_F(UpdateTest, InitTouchesNothingWhereARepositoryIs) {
  store.place("r/repodata/repomd.xml", "<repomd>somebody's</repomd>", k_uploaded);
  store.forget_requests();
  EXPECT_TRUE(create_repository(repository, clock).failed_with(ErrorKind::precondition_failed));
  EXPECT_EQ(puts(), 0u);
}

// Some stores make the bucket of a PUT: a name misspelt would be a bucket of its own.
TEST_F(UpdateTest, InitPutsNothingWhereThereIsNoBucket) {
  store.forget_requests();
  store.before = [](const std::string&) -> Result<void> { return Error{ErrorKind::no_store, "404", {}}; };
  EXPECT_TRUE(create_repository(repository, clock).failed_with(ErrorKind::no_store));
  EXPECT_EQ(puts(), 0u);
}

// I5: the same change set applied twice publishes once.
TEST_F(UpdateTest, NoChangeMeansNoPut) {
  place("a.rpm", "a");
  place("unknown.rpm", "u", "1", false);
  run(keys({"a.rpm", "unknown.rpm"}));
  store.forget_requests();
  UpdateRequest again = keys({"a.rpm", "unknown.rpm", "never-there.rpm"});
  again.reconcile = true;
  EXPECT_FALSE(run(again).published);
  EXPECT_EQ(puts(), 0u);
}

// I2: the pointer is written last, and semantics 25: what may be cached for how long.
TEST_F(UpdateTest, PointerComesLastAndIsNeverCached) {
  place("a.rpm", "a");
  store.forget_requests();
  run(keys({"a.rpm"}));
  std::vector<std::string> put_keys;
  for (const auto& request : store.requests())
    if (request.starts_with("PUT ")) put_keys.push_back(request.substr(4));
  ASSERT_EQ(put_keys.size(), 4u);
  EXPECT_EQ(put_keys.back(), "r/repodata/repomd.xml");
  const auto contents = store.contents();
  EXPECT_EQ(contents.at(put_keys.back()).options.cache_control, "no-cache");
  EXPECT_EQ(contents.at(put_keys.front()).options.cache_control, "public, max-age=31536000, immutable");
  EXPECT_EQ(contents.at(put_keys.front()).options.content_type, "application/gzip");
}

TEST_F(UpdateTest, EveryStageIsToldAndTimed) {
  place("a.rpm", "a");
  UpdateRequest request = keys({"a.rpm"});
  std::vector<std::string> told;
  request.on_stage = [&](Stage stage) { told.emplace_back(to_string(stage)); };
  const auto published = run(request);
  EXPECT_THAT(told, ElementsAre("load", "look", "prove", "plan", "splice", "publish", "confirm"));
  EXPECT_TRUE(published.stages[static_cast<std::size_t>(Stage::confirm)]);
  EXPECT_FALSE(published.stages[static_cast<std::size_t>(Stage::sign)]);
  told.clear();
  const auto unchanged = run(request);
  EXPECT_THAT(told, ElementsAre("load", "look"));
  EXPECT_FALSE(unchanged.stages[static_cast<std::size_t>(Stage::publish)]);
}

// I14: a removal needs a 404. 403 says nothing.
TEST_F(UpdateTest, DeniedIsNotGone) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm"}));
  store.drop("r/a.rpm");
  store.before = [](const std::string& request) -> Result<void> {
    if (request == "HEAD r/a.rpm") return Error{ErrorKind::denied, "403", {}};
    return {};
  };
  const auto report = run(keys({"a.rpm", "b.rpm"}));
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].error.kind, ErrorKind::denied);
  EXPECT_EQ(listed().size(), 2u);  // a stays, b is published all the same
}

// Nor is one 404 enough for it while nothing else says so: stores have been seen to be mistaken.
TEST_F(UpdateTest, OneNotFoundIsNotGone) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm"}));
  std::mutex mutex;  // packages are looked at by several threads
  std::set<std::string> told;
  store.before = [&](const std::string& request) -> Result<void> {
    const std::scoped_lock lock(mutex);
    const bool is_first = request.find("r/repodata/") == std::string::npos && told.insert(request.substr(4, 7)).second;
    return is_first ? Result<void>(Error{ErrorKind::not_found, "404", {}}) : Result<void>();
  };
  EXPECT_EQ(run(keys({"a.rpm", "b.rpm"})).removed(), 0u);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "b.rpm b-1-1.noarch"));
}

// What came back while its removal was published is not in the listing that the removal was planned on.
TEST_F(UpdateTest, AListingFromBeforeItCameBackDoesNotSayThatItIsGone) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm", "b.rpm"}));
  store.drop("r/b.rpm");
  int looks = 0;  // after it came back: the confirmation's, and then those of the next pass
  store.before = [&, is_back = false](const std::string& request) mutable -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && !std::exchange(is_back, true)) place("b.rpm", "b", "2");
    if (is_back && request.ends_with(" r/b.rpm") && ++looks == 2) return Error{ErrorKind::not_found, "404", {}};
    return {};
  };
  UpdateRequest request;
  request.reconcile = true;
  run(request);
  EXPECT_GE(looks, 3);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "b.rpm b-2-1.noarch"));
}

// One of several ways to the store ends at a server that has no page of that name. It says so to a HEAD as the store
// would, and to a GET with a page of its own.
TEST_F(UpdateTest, A404OfNobodyIsNotGone) {
  place("listed.rpm", "listed");
  run(keys({"listed.rpm"}));
  place("new.rpm", "new");
  store.place("r/large.rpm", build_package({"large", "0", "1", "1", "noarch"}, 300'000), k_uploaded, false);
  store.before = [](const std::string& request) -> Result<void> {
    if (request.find(".rpm") == std::string::npos) return {};
    if (request.starts_with("HEAD")) return Error{ErrorKind::not_found, "404", {}};
    if (request.find("large") != std::string::npos) return {};  // its first bytes, by the right way
    return Error{ErrorKind::unavailable, "this is not the service's own answer", {}};
  };
  const auto report = run(keys({"listed.rpm", "new.rpm", "large.rpm"}));
  EXPECT_THAT(report.unknown, IsEmpty());
  EXPECT_EQ(report.failures.size(), 3u);
  for (const auto& failure : report.failures) EXPECT_EQ(failure.error.kind, ErrorKind::unavailable) << failure.href;
  EXPECT_THAT(listed(), ElementsAre("listed.rpm listed-1-1.noarch"));
}

// Semantics 9: a bad package costs its neighbours nothing, and what was listed before stays.
TEST_F(UpdateTest, CorruptPackagesAreReportedAndTheRestIsPublished) {
  const std::string good = place("good.rpm", "good");
  store.place("r/text.rpm", "hello", k_uploaded);
  store.place("r/empty.rpm", "", k_uploaded);
  store.place("r/cut.rpm", good.substr(0, 300), k_uploaded);
  store.place("r/unhashed.rpm", "hello", k_uploaded, false);
  std::string flipped = good;
  flipped[flipped.size() - 100] = static_cast<char>(flipped[flipped.size() - 100] ^ 1);
  store.place("r/flipped.rpm", flipped, k_uploaded);
  const auto report = run(keys({"good.rpm", "text.rpm", "empty.rpm", "cut.rpm", "flipped.rpm", "unhashed.rpm"}));
  EXPECT_EQ(report.failures.size(), 5u);
  for (const auto& failure : report.failures) EXPECT_EQ(failure.error.kind, ErrorKind::corrupt) << failure.href;
  EXPECT_THAT(listed(), ElementsAre("good.rpm good-1-1.noarch"));
}

// I3: another writer wins between our plan and our PUT; both changes are there in the end.
TEST_F(UpdateTest, LostRaceIsPlannedAgainAndNothingIsReadTwice) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  bool raced = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && !std::exchange(raced, true)) run(keys({"b.rpm"}));
    return {};
  };
  store.forget_requests();
  const auto report = run(keys({"a.rpm"}));
  EXPECT_EQ(report.lost_races, 1);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "b.rpm b-1-1.noarch"));
  std::size_t reads = 0;
  for (const auto& request : store.requests()) reads += request.starts_with("GET r/a.rpm");
  EXPECT_EQ(reads, 1u);
  expect_sound();
}

// A bucket that is full before it becomes a repository: what was put aside is published, also after a lost race.
TEST_F(UpdateTest, FragmentsBeyondTheMemoryArePutAsideAndPublished) {
  for (const std::string name : {"a", "b", "c"})
    store.place("r/" + name + ".rpm", build_package({name, "0", "1", "1", "noarch"}, 64, {.files = 250'000}),
                k_uploaded);
  place("raced.rpm", "raced");
  bool raced = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && !std::exchange(raced, true)) run(keys({"raced.rpm"}));
    return {};
  };
  Findings findings;
  const std::set<std::string> hrefs{"a.rpm", "b.rpm", "c.rpm"};
  ASSERT_TRUE(look_at(repository, ListedEntries({}), hrefs, {}, {}, findings, {}, {}).ok());
  std::uint64_t in_memory = 0, of_all = 0;
  for (const auto& [href, finding] : findings) {
    const Fragments& fragments = std::get<PackageRecord>(finding.what).fragments;
    in_memory += fragments.size_in_memory();
    for (const auto& about : k_metadata_kinds) of_all += fragments.size(about.kind);
  }
  EXPECT_GT(of_all, k_fragments_in_memory);
  EXPECT_LE(in_memory, k_fragments_in_memory);

  EXPECT_EQ(run(keys({"a.rpm", "b.rpm", "c.rpm"})).lost_races, 1);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "b.rpm b-1-1.noarch", "c.rpm c-1-1.noarch",
                                    "raced.rpm raced-1-1.noarch"));
  expect_sound();
}

// Of the same size, it can be told from the listed one by its age only; the winner's repomd.xml is younger than it.
TEST_F(UpdateTest, ReplacementThatAListingFoundIsNotForgottenInALostRace) {
  const SystemTime later = k_uploaded + std::chrono::hours(24 * 365);
  place("a.rpm", "a", "1");
  place("b.rpm", "b");
  run(keys({"a.rpm"}));
  store.place("r/a.rpm", build_package({"a", "0", "2", "1", "noarch"}), later);
  bool raced = false;
  store.time = [&] { return later + std::chrono::hours(1); };
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && !std::exchange(raced, true)) run(keys({"b.rpm"}));
    return {};
  };
  UpdateRequest reconcile;
  reconcile.reconcile = true;
  EXPECT_EQ(run(reconcile).lost_races, 1);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-2-1.noarch", "b.rpm b-1-1.noarch"));
}

// I14: what the winner added is no loss of the rebuild's.
TEST_F(UpdateTest, RebuildThatLosesARaceListsWhatTheWinnerAdded) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  bool raced = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request != "PUT r/repodata/repomd.xml" || std::exchange(raced, true)) return {};
    place("z.rpm", "z");
    run(keys({"z.rpm"}));
    return {};
  };
  UpdateRequest rebuild;
  rebuild.rebuild = true;
  EXPECT_EQ(run(rebuild).lost_races, 1);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "z.rpm z-1-1.noarch"));
  expect_sound();
}

TEST_F(UpdateTest, VerifyTakesAPublicationMeanwhileForNoProblem) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  bool published = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request != "LIST r/" || std::exchange(published, true)) return {};
    place("b.rpm", "b");
    run(keys({"b.rpm"}));
    return {};
  };
  expect_sound();
  EXPECT_TRUE(published);
}

// Its name and the store's word for its SHA-256 are enough.
TEST_F(UpdateTest, HashedFileLeftByACrashIsNotDownloaded) {
  place("a.rpm", "a");
  const auto before = store.contents();
  store.before = [](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml") return Error{ErrorKind::unavailable, "503", {}};
    return {};
  };
  ASSERT_TRUE(update(repository, keys({"a.rpm"}), clock, {}).failed_with(ErrorKind::unavailable));
  store.before = nullptr;
  std::vector<std::string> left;
  for (const auto& [key, object] : store.contents())
    if (!before.contains(key)) left.push_back(key);
  ASSERT_EQ(left.size(), 3u);

  store.forget_requests();
  run(keys({"a.rpm"}));
  for (const auto& key : left) {
    EXPECT_THAT(store.requests(), testing::Contains("HEAD " + key));
    EXPECT_THAT(store.requests(), Not(testing::Contains(StartsWith("GET " + key))));
  }
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
}

TEST_F(UpdateTest, GivesUpWithAConflictWhenOthersKeepPublishing) {
  place("a.rpm", "a");
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml") return Error{ErrorKind::precondition_failed, "412", {}};
    return {};
  };
  const auto report = update(repository, keys({"a.rpm"}), clock, {});
  EXPECT_TRUE(report.failed_with(ErrorKind::conflict));
}

// The package goes between our look and our publication; the one who hears of it finds nothing to remove yet.
TEST_F(UpdateTest, PackageThatGoesWhileItIsPublishedIsNotListedInTheEnd) {
  place("a.rpm", "a");
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && store.contents().contains("r/a.rpm")) {
      store.drop("r/a.rpm");
      EXPECT_FALSE(run(keys({"a.rpm"})).published);
    }
    return {};
  };
  run(keys({"a.rpm"}));
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(UpdateTest, PackageThatComesBackWhileItIsRemovedIsListedInTheEnd) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  store.drop("r/a.rpm");
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && !store.contents().contains("r/a.rpm")) {
      place("a.rpm", "a");
      EXPECT_FALSE(run(keys({"a.rpm"})).published);
    }
    return {};
  };
  run(keys({"a.rpm"}));
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
}

// Ours was visible, and its answer is lost; another publication came on top. The package went before ours was visible, and
// the one who heard of it found nothing to remove: the listing that found it is older than all that.
TEST_F(UpdateTest, PackageThatGoesWhileItIsPublishedInARaceThatCountsAsLostIsNotListedInTheEnd) {
  place("a.rpm", "a");
  place("z.rpm", "z");
  FaultyObjectStore faulty(store);
  Repository ours = repository;
  ours.store = &faulty;
  faulty.on_call = [&](const std::string& call) {
    if (call != "PUT r/repodata/repomd.xml") return Fault::none;
    store.drop("r/a.rpm");
    EXPECT_FALSE(run(keys({"a.rpm"})).published);
    return Fault::precondition_failed_after;
  };
  faulty.after_effect = [&](const std::string& call) {
    if (call != "PUT r/repodata/repomd.xml") return;
    place("other.rpm", "other");
    EXPECT_TRUE(run(keys({"other.rpm"})).published);
  };
  UpdateRequest reconcile;
  reconcile.reconcile = true;
  const auto report = update(ours, reconcile, clock, {});
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->lost_races, 1);
  EXPECT_THAT(listed(), ElementsAre("other.rpm other-1-1.noarch", "z.rpm z-1-1.noarch"));
  expect_sound();
}

TEST_F(UpdateTest, ReconcileFindsWhatNoEventTold) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm", "b.rpm"}));
  store.drop("r/a.rpm");
  place("c.rpm", "c");
  store.place("r/b.rpm", build_package({"b", "0", "2", "1", "noarch"}, 65), k_uploaded);
  store.place("r/repodata/stray.rpm", "no package", k_uploaded);
  UpdateRequest request;
  request.reconcile = true;
  run(request);
  EXPECT_THAT(listed(), ElementsAre("b.rpm b-2-1.noarch", "c.rpm c-1-1.noarch"));
}

// The size is the same; only its time tells that it was written after the metadata.
TEST_F(UpdateTest, ReconcileSeesAPackageReplacedByOneOfTheSameSize) {
  place("a.rpm", "a", "1");
  run(keys({"a.rpm"}));
  store.place("r/a.rpm", build_package({"a", "0", "2", "1", "noarch"}),
              SystemTime(std::chrono::seconds(1'900'000'000)));
  UpdateRequest request;
  request.reconcile = true;
  EXPECT_EQ(run(request).replaced(), 1u);
}

// AWS dates an upload in parts from its beginning, which may lie before a publication that it ends after.
class UploadInPartsTest : public UpdateTest {
protected:
  UploadInPartsTest() {
    repository.memory = &memory;
    store.time = [this] { return m_published; };
    upload("1", m_published - std::chrono::hours(2));
    run(keys({"a.rpm"}));
    store.forget_requests();
  }
  void upload(const std::string& version, SystemTime begun) {
    place("a.rpm", "a", version);
    auto objects = store.contents();
    auto& object = objects.at("r/a.rpm");
    object.etag = {'"' + object.sha256.substr(0, 32) + "-2\""};
    object.last_modified = begun;
    store.restore(objects);
  }
  UpdateReport compare() {
    UpdateRequest request;
    request.reconcile = true;
    return run(request);
  }
  std::ptrdiff_t looks() {
    return std::ranges::count_if(store.requests(), [](const auto& what) { return what.ends_with(".rpm"); });
  }

  RepositoryMemory memory{MemoryLimits{}};
  const SystemTime m_published = k_uploaded + std::chrono::hours(1000);
};

TEST_F(UploadInPartsTest, ThatBeganBeforeAPublicationAndEndedAfterItIsSeen) {
  upload("2", m_published - std::chrono::minutes(40));
  EXPECT_EQ(compare().replaced(), 1u);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-2-1.noarch"));
}

TEST_F(UploadInPartsTest, ThatIsListedWithItsTimeIsNotLookedAt) {
  EXPECT_FALSE(compare().published);
  EXPECT_EQ(looks(), 0);
}

TEST_F(UploadInPartsTest, OfBeforeTheLastHourIsTakenForTheListedOne) {
  upload("1", m_published - std::chrono::minutes(61));
  EXPECT_FALSE(compare().published);
  EXPECT_EQ(looks(), 0);
}

// As in metadata of other tools.
TEST_F(UploadInPartsTest, OfAnotherTimeThanIsListedIsLookedAtOnce) {
  upload("1", m_published - std::chrono::minutes(40));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(compare().published);
  EXPECT_EQ(looks(), 1) << "a HEAD, then its ETag is known";
  upload("2", m_published - std::chrono::minutes(40));
  EXPECT_EQ(compare().replaced(), 1u);
}

// Semantics 3: on 404 of the decoded key, the raw one.
TEST_F(UpdateTest, RawSpellingIsTriedWhenTheDecodedKeyIsNotThere) {
  place("a+b.rpm", "a");
  UpdateRequest request;
  request.changes.keys["a b.rpm"].raw_href = "a+b.rpm";
  run(request);
  EXPECT_THAT(listed(), ElementsAre("a+b.rpm a-1-1.noarch"));
  store.drop("r/a+b.rpm");
  run(request);
  EXPECT_THAT(listed(), IsEmpty());
}

TEST_F(UpdateTest, ExplicitRemovalDoesNotAskTheStore) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  UpdateRequest request;
  request.changes.removals = {"a.rpm"};
  EXPECT_EQ(run(request).removed(), 1u);
  EXPECT_THAT(listed(), IsEmpty());
  EXPECT_TRUE(store.contents().contains("r/a.rpm"));
}

// Semantics 13.
TEST_F(UpdateTest, SameNevraUnderTwoKeysFollowsThePolicy) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  store.place("r/copy/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 99), k_uploaded + std::chrono::seconds(9));
  repository.policy.same_nevra = SameNevra::reject;
  EXPECT_EQ(run(keys({"copy/a.rpm"})).failures.size(), 1u);
  repository.policy.same_nevra = SameNevra::replace;
  const auto report = run(keys({"copy/a.rpm"}));
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("a-1-1.noarch is there under 2 keys")));
  EXPECT_THAT(listed(), ElementsAre("copy/a.rpm a-1-1.noarch"));
  repository.policy.same_nevra = SameNevra::keep;
  run(keys({"a.rpm"}));
  EXPECT_EQ(listed().size(), 2u);
}

// What stood back behind the listed one has no event left that would tell of it.
TEST_F(UpdateTest, WhenTheListedOfTwoGoesTheOtherOneComes) {
  for (const auto policy : {SameNevra::replace, SameNevra::reject}) {
    repository.policy.same_nevra = policy;
    const bool is_replaced = policy == SameNevra::replace;
    const std::string first = is_replaced ? "copy/a.rpm" : "a.rpm", second = is_replaced ? "a.rpm" : "copy/a.rpm";
    place("a.rpm", "a");
    store.place("r/copy/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 99),
                k_uploaded + std::chrono::seconds(9));
    run(keys({"a.rpm"}));
    run(keys({"copy/a.rpm"}));
    EXPECT_THAT(listed(), ElementsAre(first + " a-1-1.noarch"));
    store.drop("r/" + first);
    store.forget_requests();
    auto gone = keys({first});
    gone.changes.keys[first].said_gone = true;
    EXPECT_THAT(run(gone).failures, IsEmpty());
    EXPECT_EQ(std::ranges::count(store.requests(), "PUT r/repodata/repomd.xml"), 1) << "both at once";
    EXPECT_THAT(listed(), ElementsAre(second + " a-1-1.noarch"));
    store.drop("r/" + second);
    EXPECT_EQ(run(keys({second})).removed(), 1u);
    EXPECT_THAT(listed(), IsEmpty());
    expect_sound();
  }
}

TEST_F(UpdateTest, ReplacingOneOfTheSameNevraListsNoObjects) {
  repository.policy.same_nevra = SameNevra::replace;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  store.place("r/copy/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 99), k_uploaded + std::chrono::seconds(9));
  store.forget_requests();
  run(keys({"copy/a.rpm"}));
  for (const auto& request : store.requests()) EXPECT_FALSE(request.starts_with("LIST")) << request;
}

// The object goes after the publication: it must not come in by the listing meanwhile.
TEST_F(UpdateTest, ExplicitRemovalLetsTheOtherOneInAndNotItself) {
  repository.policy.same_nevra = SameNevra::reject;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  place("copy/a.rpm", "a");
  run(keys({"copy/a.rpm"}));
  store.before = [&, is_first = true](const std::string& request) mutable -> Result<void> {
    if (request == "PUT r/repodata/repomd.xml" && std::exchange(is_first, false))
      store.place("r/copy/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 99), k_uploaded);
    return {};
  };
  UpdateRequest request;
  request.changes.removals = {"a.rpm"};
  run(request);
  EXPECT_THAT(listed(), ElementsAre("copy/a.rpm a-1-1.noarch"));
  EXPECT_TRUE(store.contents().contains("r/a.rpm"));
}

// Semantics 28: never build on metadata that are not what repomd.xml says.
TEST_F(UpdateTest, DamagedMetadataStopTheUpdateAndARebuildRepairsThem) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  for (const auto& [key, stored] : store.contents())
    if (key.find("primary") != std::string::npos || key.find("filelists") != std::string::npos)
      store.place(key, stored.bytes.substr(0, stored.bytes.size() - 4), k_uploaded);
  place("b.rpm", "b");
  store.forget_requests();
  const auto refused = update(repository, keys({"b.rpm"}), clock, {});
  ASSERT_TRUE(refused.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(refused.error().message, HasSubstr("--rebuild"));
  EXPECT_EQ(puts(), 0u);

  for (const auto& [key, stored] : store.contents())  // as its message says
    if (key.find("xml.gz") != std::string::npos) store.drop(key);
  UpdateRequest rebuild;
  rebuild.rebuild = true;
  run(rebuild);
  EXPECT_EQ(listed().size(), 2u);
  expect_sound();
}

TEST_F(UpdateTest, WhatSomebodyElsePublishedIsNotTakenFromMemory) {
  RepositoryMemory memory(MemoryLimits{});
  repository.memory = &memory;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  Repository other = repository;
  other.memory = nullptr;
  place("b.rpm", "b");
  ASSERT_TRUE(update(other, keys({"b.rpm"}), clock, {}));
  place("c.rpm", "c");
  run(keys({"c.rpm"}));
  EXPECT_EQ(listed().size(), 3u);
  expect_sound();
}

// What was seen beside the remembered index says nothing about the index that somebody else has published since.
TEST_F(UpdateTest, PackageThatSomebodyElseTookOutIsListedWhenItComesBack) {
  RepositoryMemory memory(MemoryLimits{});
  repository.memory = &memory;
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm", "b.rpm"}));
  Repository other = repository;
  other.memory = nullptr;
  store.drop("r/a.rpm");
  place("b.rpm", "b", "2");
  ASSERT_TRUE(update(other, keys({"a.rpm", "b.rpm"}), clock, {}));
  place("a.rpm", "a");  // the same bytes as at first
  place("b.rpm", "b");
  EXPECT_TRUE(run(keys({"a.rpm", "b.rpm"})).published);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch", "b.rpm b-1-1.noarch"));
}

// A damaged copy must not stand in the way until the daemon is started anew.
TEST_F(UpdateTest, WhatIsRememberedWronglyIsForgotten) {
  RepositoryMemory memory(MemoryLimits{});
  repository.memory = &memory;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  RememberedIndex remembered = *memory.find(repository.name);
  for (SegmentedFile& file : remembered.index.files.values) {
    file.kept = {};
    file.stored = in_memory(std::string(file.stored->size(), 'x'));
  }
  memory.keep(repository.name, remembered);
  place("b.rpm", "b");
  EXPECT_TRUE(update(repository, keys({"b.rpm"}), clock, {}).failed_with(ErrorKind::corrupt));
  EXPECT_EQ(run(keys({"b.rpm"})).added(), 1u);
  expect_sound();
}

// A file of the old repository may go while the daemon still knows it: S3 keeps nothing open.
TEST_F(UpdateTest, WarmUpdateDoesNotNeedTheOldFiles) {
  RepositoryMemory memory(MemoryLimits{});
  repository.memory = &memory;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  for (const auto& [key, stored] : store.contents())
    if (key.ends_with(".xml.gz")) store.drop(key);
  place("b.rpm", "b");
  EXPECT_EQ(run(keys({"b.rpm"})).added(), 1u);
  expect_sound();
}

TEST_F(UpdateTest, OpenChecksumCanBeLeftOut) {
  repository.policy.open_checksum = false;
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  const std::string repomd = store.contents().at("r/repodata/repomd.xml").bytes;
  EXPECT_THAT(repomd, Not(HasSubstr("open-checksum")));
  EXPECT_THAT(repomd, HasSubstr("open-size"));
  expect_sound();
}

// I16: a table that hides a package is found out before anything is built on it.
TEST_F(UpdateTest, LyingSegmentTableCostsTimeOnly) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm", "b.rpm"}));
  const auto lie = [&](const std::function<void(SegmentTable&)>& change) {
    std::string repomd = store.contents().at("r/repodata/repomd.xml").bytes;
    for (const auto& [key, stored] : store.contents()) {
      if (key.find("-primary.xml.gz") == std::string::npos || repomd.find(key.substr(2)) == std::string::npos) continue;
      const auto found = find_segment_table(MemoryBytes(stored.bytes));
      ASSERT_TRUE(found && *found);
      SegmentTable table = (*found)->table;
      const std::string frames = stored.bytes.substr((*found)->first_frame, table.stored_size());
      change(table);
      const Container container = make_container(Compression::gz, table);
      const std::string forged = container.head + frames + container.tail;
      const std::string old_digest = sha256_hex(stored.bytes), digest = sha256_hex(forged);
      for (auto at = repomd.find(old_digest); at != std::string::npos; at = repomd.find(old_digest))
        repomd.replace(at, old_digest.size(), digest);
      const std::string old_size = "<size>" + std::to_string(stored.bytes.size()) + "</size>";
      repomd.replace(repomd.find(old_size), old_size.size(), "<size>" + std::to_string(forged.size()) + "</size>");
      store.place("r/repodata/" + digest + "-primary.xml.gz", forged, k_uploaded);
      store.place("r/repodata/repomd.xml", repomd, k_uploaded);
      return;
    }
    FAIL() << "no primary";
  };

  lie([](SegmentTable& table) { table.frames[1].names = {"x", "y"}; });
  EXPECT_FALSE(run(keys({"a.rpm"})).published);  // it is listed, whatever the table says
  EXPECT_EQ(listed().size(), 2u);

  lie([](SegmentTable& table) { table.frames[1].names = {"c", "d"}; });
  store.drop("r/b.rpm");
  EXPECT_EQ(run(keys({"b.rpm"})).removed(), 1u);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
  expect_sound();

  lie([](SegmentTable& table) { table.frames[1].packages = table.frames[1].segments[0].packages = 7; });
  place("c.rpm", "c");
  EXPECT_EQ(run(keys({"c.rpm"})).packages, 2u);
  expect_sound();
}

TEST_F(UpdateTest, MissingRepositoryIsMadeOnlyWhenThePolicySaysSo) {
  store.drop("r/repodata/repomd.xml");
  place("a.rpm", "a");
  EXPECT_TRUE(update(repository, keys({"a.rpm"}), clock, {}).failed_with(ErrorKind::not_found));
  repository.policy.create = true;
  EXPECT_EQ(run(keys({"a.rpm"})).added(), 1u);
  EXPECT_TRUE(create_repository(repository, clock).failed_with(ErrorKind::precondition_failed));
}

TEST_F(UpdateTest, KeyThatIsNeitherThereNorListedIsUnknown) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm", "b.rpm"}));
  store.drop("r/b.rpm");
  place("c.rpm", "c");
  EXPECT_THAT(run(keys({"a.rpm", "b.rpm", "c.rpm", "d.rpm"})).unknown, ElementsAre("d.rpm"));
  EXPECT_THAT(run(keys({"b.rpm"})).unknown, ElementsAre("b.rpm"));
}

// What another pass finds removed was removed by the one before.
TEST_F(UpdateTest, KeyThatIsRemovedIsNotUnknownWhenItIsLookedAtAgain) {
  place("a.rpm", "a");
  place("b.rpm", "b");
  run(keys({"a.rpm"}));
  store.drop("r/a.rpm");
  bool is_done = false;
  store.before = [&](const std::string& request) -> Result<void> {
    if (!is_done && request == "PUT r/repodata/repomd.xml") {
      is_done = true;
      place("b.rpm", "b", "2");
    }
    return {};
  };
  const auto report = run(keys({"a.rpm", "b.rpm"}));
  EXPECT_EQ(report.edits.size(), 2u);
  EXPECT_THAT(report.unknown, IsEmpty());
}

TEST_F(UpdateTest, DryRunPrintsTheEditAndPutsNothing) {
  place("a.rpm", "a");
  store.forget_requests();
  UpdateRequest request = keys({"a.rpm"});
  request.dry_run = true;
  const auto report = run(request);
  EXPECT_EQ(puts(), 0u);
  ASSERT_EQ(report.edits.size(), 1u);
  EXPECT_EQ(to_string(report.edits[0]), "+ a-1-1.noarch a.rpm\n");
}

// Semantics 10: a stop leaves the publication before the pointer is written.
TEST_F(UpdateTest, StopBeforeThePointerLeavesTheOldRepository) {
  place("a.rpm", "a");
  std::stop_source stop;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request.starts_with("PUT")) stop.request_stop();
    return {};
  };
  EXPECT_TRUE(update(repository, keys({"a.rpm"}), clock, stop.get_token()).failed_with(ErrorKind::cancelled));
  store.before = nullptr;
  EXPECT_THAT(listed(), IsEmpty());
}

}  // namespace
}  // namespace repoupdate
