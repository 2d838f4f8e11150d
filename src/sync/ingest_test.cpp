// SPDX-License-Identifier: Apache-2.0
// Each rule, and what the metadata say of a listed package that somebody replaces with a refused one.
#include "sync/ingest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sync/sample_update.hpp"

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class IngestTest : public UpdateTest {
protected:
  IngestTest() {
    store.time = [this] { return clock.now(); };
  }
  void put(const std::string& href, const Nevra& nevra, const PackageExtras& extras = {}, std::size_t payload = 64) {
    store.place("r/" + href, build_package(nevra, payload, extras), k_uploaded);
  }
  UpdateReport compare(bool rebuild = false) {
    UpdateRequest request;
    request.reconcile = true;
    request.rebuild = rebuild;
    return run(request);
  }
  // href and reason of each failure.
  static std::vector<std::string> refused(const UpdateReport& report) {
    std::vector<std::string> texts;
    for (const auto& failure : report.failures) {
      EXPECT_EQ(failure.error.kind, ErrorKind::invalid) << failure.href;
      texts.push_back(failure.href + ' ' + failure.error.message);
    }
    return texts;
  }
  QuarantineRecords records() {
    const auto sight = read_quarantine(repository);
    return sight ? sight->records : QuarantineRecords();
  }
  IngestPolicy& policy = repository.policy.ingest;
};

TEST_F(IngestTest, FileNamesHaveToSayWhatThePackageIs) {
  policy.file_name_is_nvra = true;
  put("a-1-2.noarch.rpm", {"a", "7", "1", "2", "noarch"});
  put("sub/b-1-1.noarch.rpm", {"b", "0", "1", "1", "noarch"});
  put("c.rpm", {"c", "0", "1", "1", "noarch"});
  put("b-2-1.noarch.rpm", {"b", "0", "1", "1", "noarch"});
  EXPECT_THAT(
      refused(compare()),
      UnorderedElementsAre(HasSubstr("c.rpm refused by file_names: the file is called c.rpm, the package c-1-1"),
                           HasSubstr("b-2-1.noarch.rpm refused by file_names")));
  EXPECT_EQ(listed().size(), 2u);
  EXPECT_EQ(records().size(), 2u);
}

TEST_F(IngestTest, OnlyTheseArchitectures) {
  policy.arches = {"x86_64", "noarch"};
  put("a.rpm", {"a", "0", "1", "1", "x86_64"});
  put("b.rpm", {"b", "0", "1", "1", "noarch"});
  put("c.rpm", {"c", "0", "1", "1", "aarch64"});
  EXPECT_THAT(refused(compare()), ElementsAre(HasSubstr("c.rpm refused by arches: its architecture is aarch64")));
  EXPECT_EQ(listed().size(), 2u);
}

TEST_F(IngestTest, OnlyTheseVendors) {
  policy.vendors = {"Example *", "ACME"};
  put("a.rpm", {"a", "0", "1", "1", "noarch"}, {.vendor = "Example & Sons, Ltd"});
  put("b.rpm", {"b", "0", "1", "1", "noarch"}, {.vendor = "ACME Fakes"});
  put("c.rpm", {"c", "0", "1", "1", "noarch"});
  EXPECT_THAT(refused(compare()), UnorderedElementsAre(HasSubstr("b.rpm refused by vendors: its vendor is ACME Fakes"),
                                                       HasSubstr("c.rpm refused by vendors: it names no vendor")));
}

TEST_F(IngestTest, NamesAreAllowedAndDenied) {
  policy.allow_names = {"our-*"};
  policy.deny_names = {"*-debug*"};
  put("a.rpm", {"our-tool", "0", "1", "1", "noarch"});
  put("b.rpm", {"our-tool-debuginfo", "0", "1", "1", "noarch"});
  put("our-fake.rpm", {"glibc", "0", "1", "1", "noarch"});  // the header says what it is
  EXPECT_THAT(refused(compare()), UnorderedElementsAre(HasSubstr("b.rpm refused by deny_names"),
                                                       HasSubstr("our-fake.rpm refused by allow_names")));
}

// It is not even read.
TEST_F(IngestTest, LargePackagesAreRefusedByTheirSize) {
  policy.max_size = 2000;
  put("small.rpm", {"small", "0", "1", "1", "noarch"});
  put("large.rpm", {"large", "0", "1", "1", "noarch"}, {}, 300'000);
  EXPECT_THAT(refused(compare()), ElementsAre(HasSubstr("large.rpm refused by max_package_mib")));
  EXPECT_THAT(listed(), ElementsAre("small.rpm small-1-1.noarch"));
}

TEST_F(IngestTest, SignaturesAreAskedForLast) {
  policy.signed_by = std::make_shared<Keyring>();
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  EXPECT_THAT(refused(compare()), ElementsAre(HasSubstr("a.rpm refused by signed_by: it is not signed")));
}

// Rules are for what comes in: what is listed is not judged, until everything is made anew.
TEST_F(IngestTest, WhatIsListedStaysUntilARebuild) {
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  put("b.rpm", {"b", "0", "1", "1", "x86_64"});
  store.place("r/unhashed.rpm", build_package({"c", "0", "1", "1", "noarch"}), k_uploaded, false);
  compare();
  policy.arches = {"x86_64"};
  EXPECT_THAT(run(keys({"a.rpm", "unhashed.rpm"})).failures, IsEmpty());
  EXPECT_EQ(listed().size(), 3u);
  EXPECT_EQ(compare(true).failures.size(), 2u);
  EXPECT_THAT(listed(), ElementsAre("b.rpm b-1-1.x86_64"));
}

// The bytes that the entry describes are gone, and that is proven: the metadata say what can be had.
TEST_F(IngestTest, AListedPackageThatIsReplacedByARefusedOneIsWithdrawn) {
  policy.arches = {"noarch"};
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  put("b.rpm", {"b", "0", "1", "1", "noarch"});
  compare();
  put("a.rpm", {"a", "0", "1", "1", "x86_64"});
  const auto report = run(keys({"a.rpm"}));
  EXPECT_EQ(report.removed(), 1u);
  EXPECT_EQ(report.failures.size(), 1u);
  EXPECT_THAT(listed(), ElementsAre("b.rpm b-1-1.noarch"));
  EXPECT_FALSE(records().at("a.rpm").is_listed);
  put("a.rpm", {"a", "0", "1", "1", "noarch"});  // the old one put back
  EXPECT_THAT(compare().quarantine.released, ElementsAre("a.rpm"));
  EXPECT_EQ(listed().size(), 2u);
}

// I14: garbage proves nothing, and neither does what cannot be read.
TEST_F(IngestTest, AListedPackageThatGoesBadIsNotWithdrawn) {
  policy.arches = {"noarch"};
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  compare();
  store.place("r/a.rpm", "garbage", k_uploaded);
  run(keys({"a.rpm"}));
  EXPECT_EQ(listed().size(), 1u);
  EXPECT_TRUE(records().at("a.rpm").is_listed);
}

TEST_F(IngestTest, AnImmutableKeyKeepsWhatIsListed) {
  policy.immutable = true;
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  compare();
  put("a.rpm", {"a", "0", "2", "1", "noarch"});
  const auto report = run(keys({"a.rpm"}));
  EXPECT_FALSE(report.published);
  EXPECT_THAT(refused(report), ElementsAre(HasSubstr("a.rpm refused by immutable: a-2-1.noarch has other bytes")));
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
  EXPECT_TRUE(records().at("a.rpm").is_listed);
  EXPECT_EQ(compare().quarantine.held.size(), 1u);
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  EXPECT_THAT(compare().quarantine.released, ElementsAre("a.rpm"));
}

TEST_F(IngestTest, AnImmutableRepositoryWithdrawsNothingWhateverTheReason) {
  policy.immutable = true;
  policy.arches = {"noarch"};
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  compare();
  put("a.rpm", {"a", "0", "1", "1", "x86_64"});
  EXPECT_FALSE(run(keys({"a.rpm"})).published);
  EXPECT_THAT(listed(), ElementsAre("a.rpm a-1-1.noarch"));
}

TEST_F(IngestTest, AnImmutableNevraIsNotListedTwiceWithOtherBytes) {
  policy.immutable = true;
  put("a.rpm", {"a", "0", "1", "1", "noarch"});
  compare();
  put("copy/a.rpm", {"a", "0", "1", "1", "noarch"});           // the same bytes
  put("fake/a.rpm", {"a", "0", "1", "1", "noarch"}, {}, 100);  // others
  EXPECT_THAT(refused(compare()), ElementsAre(HasSubstr("fake/a.rpm refused by immutable")));
  EXPECT_EQ(listed().size(), 2u);
  store.drop("r/a.rpm");
  store.drop("r/copy/a.rpm");
  compare();
  compare();
  EXPECT_THAT(listed(), ElementsAre("fake/a.rpm a-1-1.noarch")) << "who may delete may replace";
}

TEST_F(IngestTest, OfTwoNewOnesTheOlderIsTaken) {
  policy.immutable = true;
  store.place("r/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 100), k_uploaded + std::chrono::seconds(5));
  store.place("r/b.rpm", build_package({"a", "0", "1", "1", "noarch"}, 64), k_uploaded);
  EXPECT_THAT(refused(compare()), ElementsAre(HasSubstr("a.rpm refused by immutable")));
  EXPECT_THAT(listed(), ElementsAre("b.rpm a-1-1.noarch"));
}

}  // namespace
}  // namespace repoupdate
