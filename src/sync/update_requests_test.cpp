// SPDX-License-Identifier: Apache-2.0
// What an update costs in requests (docs/commands.md), and that what is asked for at the same time is not believed
// beyond what it can tell.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "sync/sample_update.hpp"

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using testing::UnorderedElementsAre;

constexpr auto k_pointer = "GET r/repodata/repomd.xml";
constexpr auto k_first_bytes = " 0+131072";

class UpdateRequestsTest : public UpdateTest {
protected:
  std::size_t count(const std::string& beginning) {
    std::size_t found = 0;
    for (const auto& request : store.requests()) found += request.starts_with(beginning);
    return found;
  }
  // As a daemon between two updates.
  void remember() {
    repository.memory = &memory;
    place("0.rpm", "0");
    run(keys({"0.rpm"}));
    store.forget_requests();
  }
  UpdateRequest place_many(std::size_t packages, const std::string& directory = "") {
    UpdateRequest request;
    for (std::size_t i = 0; i < packages; ++i) {
      const std::string href = directory + "p" + std::to_string(1000 + i) + ".rpm";
      place(href, "p" + std::to_string(i));
      request.changes.keys[href];
    }
    return request;
  }

  RepositoryMemory memory{MemoryLimits{}};
};

TEST_F(UpdateRequestsTest, OneAddedPackageInAProcessThatKnowsNothing) {
  place("a.rpm", "a");
  store.forget_requests();
  run(keys({"a.rpm"}));
  EXPECT_THAT(
      store.requests(),
      UnorderedElementsAre(k_pointer, HasSubstr("primary.xml.gz"), HasSubstr("filelists.xml.gz"),
                           HasSubstr("other.xml.gz"), std::string("GET r/a.rpm") + k_first_bytes,
                           HasSubstr("primary.xml.gz"), HasSubstr("filelists.xml.gz"), HasSubstr("other.xml.gz"),
                           "HEAD r/repodata/repomd.xml.asc", "PUT r/repodata/repomd.xml", "HEAD r/a.rpm"))
      << "the signature is looked for beside the PUTs of files";
  EXPECT_EQ(puts(), 4u);
}

TEST_F(UpdateRequestsTest, SecondUpdateOfAProcessReadsTheChangedPackageOnly) {
  remember();
  place("b.rpm", "b");
  run(keys({"b.rpm"}));
  EXPECT_THAT(store.requests(),
              UnorderedElementsAre(k_pointer, std::string("GET r/b.rpm") + k_first_bytes, StartsWith("PUT r/repodata/"),
                                   StartsWith("PUT r/repodata/"), StartsWith("PUT r/repodata/"),
                                   "PUT r/repodata/repomd.xml", "HEAD r/b.rpm"));
  EXPECT_EQ(listed().size(), 2u);
  repository.memory = nullptr;  // what another process finds
  EXPECT_EQ(listed().size(), 2u);
  expect_sound();
}

TEST_F(UpdateRequestsTest, ARemovedPackageCostsTwoHeads) {
  remember();
  place("b.rpm", "b");
  run(keys({"b.rpm"}));
  store.forget_requests();
  store.drop("r/0.rpm");
  auto request = keys({"0.rpm"});
  request.changes.keys["0.rpm"].said_gone = true;
  run(request);
  EXPECT_THAT(store.requests(), UnorderedElementsAre(k_pointer, "HEAD r/0.rpm", StartsWith("PUT r/repodata/"),
                                                     StartsWith("PUT r/repodata/"), StartsWith("PUT r/repodata/"),
                                                     "PUT r/repodata/repomd.xml", "HEAD r/0.rpm"));
  EXPECT_THAT(listed(), ElementsAre("b.rpm b-1-1.noarch"));
}

TEST_F(UpdateRequestsTest, NothingToDoIsOneRequest) {
  remember();
  EXPECT_FALSE(run({}).published);
  EXPECT_THAT(store.requests(), ElementsAre(k_pointer));
}

TEST_F(UpdateRequestsTest, AnEventOfAListedPackageIsTwo) {
  remember();
  EXPECT_FALSE(run(keys({"0.rpm"})).published);
  EXPECT_THAT(store.requests(), UnorderedElementsAre(k_pointer, "HEAD r/0.rpm"));
}

// Confirmed by one page of a listing.
TEST_F(UpdateRequestsTest, PackagesSideBySideCostOneRequestEach) {
  remember();
  const auto request = place_many(100);
  EXPECT_EQ(run(request).added(), 100u);
  EXPECT_EQ(store.requests().size(), 106u);
  EXPECT_EQ(count("HEAD"), 0u);
  EXPECT_EQ(count("LIST"), 1u);
  expect_sound();
}

// Some 1,000 objects lie between each two: pages would take longer than asking for each.
TEST_F(UpdateRequestsTest, PackagesFarApartAreConfirmedOneByOne) {
  remember();
  UpdateRequest request;
  for (int i = 0; i < 9; ++i) {
    const std::string directory(1, static_cast<char>('a' + i));
    for (int j = 0; j < 1000; ++j) store.place("r/" + directory + "/other-" + std::to_string(j), "x", k_uploaded);
    place(directory + "/p.rpm", "p-" + directory);
    request.changes.keys[directory + "/p.rpm"];
  }
  run(request);
  EXPECT_EQ(count("LIST"), 1u);
  EXPECT_EQ(count("HEAD"), 8u);
  expect_sound();
}

// The listing notices what the HEADs would have.
TEST_F(UpdateRequestsTest, WhatChangesWhileManyArePublishedIsLookedAtAgain) {
  remember();
  const auto request = place_many(20);
  store.before = [&, done = false](const std::string& what) mutable -> Result<void> {
    if (what == "PUT r/repodata/repomd.xml" && !std::exchange(done, true)) {
      store.drop("r/p1003.rpm");
      place("p1007.rpm", "p7", "2");
    }
    return {};
  };
  run(request);
  EXPECT_EQ(listed().size(), 20u) << "19 and the one of before";
  expect_sound();
}

// A store without our record, as after `aws s3 cp`: the whole object is in hand, or its SHA-256 is asked for.
TEST_F(UpdateRequestsTest, WithoutASha256TheRestOfTheObjectIsReadOnce) {
  place("small.rpm", "small", "1", false);
  store.place("r/large.rpm", build_package({"large", "0", "1", "1", "noarch"}, 300'000), k_uploaded, false);
  const auto size = store.contents().at("r/large.rpm").bytes.size();
  store.forget_requests();
  EXPECT_EQ(run(keys({"small.rpm", "large.rpm"})).added(), 2u);
  EXPECT_EQ(count("GET r/small.rpm"), 1u);
  EXPECT_EQ(count("HEAD r/small.rpm"), 1u) << "to confirm";
  EXPECT_EQ(count("GET r/large.rpm 131072+" + std::to_string(size - 131'072)), 1u);
  EXPECT_EQ(count("READ r/large.rpm") + count("READ r/small.rpm"), 0u);
  expect_sound();
}

TEST_F(UpdateRequestsTest, AnEmptyObjectIsReportedAndItsNeighbourListed) {
  place("a.rpm", "a");
  store.place("r/empty.rpm", "", k_uploaded);
  const auto report = run(keys({"a.rpm", "empty.rpm"}));
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures.front().error.kind, ErrorKind::corrupt);
  EXPECT_EQ(report.added(), 1u);
}

// The packages are looked at beside the request for repomd.xml, so what it says may be newer than what was seen.
class NewerIndexTest : public UpdateRequestsTest {
protected:
  // Between our look at the package and our sight of repomd.xml, `world` happens.
  void between(const std::string& look, std::function<void()> world) {
    store.before = [this, look, world, done = std::make_shared<std::atomic<int>>(0)](const std::string& request) {
      if (request.starts_with(look)) *done = std::max(done->load(), 1);
      if (request != k_pointer || *done > 1) return Result<void>{};
      while (*done == 0 || count(look) == 0) std::this_thread::yield();
      if (*done == 1) {
        *done = 2;
        // The look has been answered when its thread has nothing more to ask.
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        world();
      }
      return Result<void>{};
    };
  }
};

TEST_F(NewerIndexTest, APackageThatCameMeanwhileIsNotRemoved) {
  between("GET r/a.rpm", [&] {
    place("a.rpm", "a");
    EXPECT_TRUE(run(keys({"a.rpm"})).published);
  });
  const auto report = run(keys({"a.rpm"}));
  EXPECT_FALSE(report.published);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
}

TEST_F(NewerIndexTest, APackageThatWasReplacedMeanwhileStaysReplaced) {
  place("a.rpm", "a", "1");
  between("GET r/a.rpm", [&] {
    place("a.rpm", "a", "2");
    EXPECT_TRUE(run(keys({"a.rpm"})).published);
  });
  const auto report = run(keys({"a.rpm"}));
  EXPECT_FALSE(report.published);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-2-1.noarch"));
}

}  // namespace
}  // namespace repoupdate
