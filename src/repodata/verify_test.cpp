// SPDX-License-Identifier: Apache-2.0
#include "repodata/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "repodata/sample_metadata.hpp"

namespace repoupdate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const PackageRecord k_a = sample::package("a"), k_b = sample::package("b"), k_c = sample::package("c");

VerifyReport verify(const PerKind<std::string>& open) {
  const auto repository = sample::stored(open);
  return verify_metadata(repository.repomd, repository.files);
}

auto says(const std::string& kind, const std::string& what) {
  return AllOf(Field(&VerifyProblem::key, HasSubstr(kind)), Field(&VerifyProblem::what, HasSubstr(what)));
}

TEST(Verify, GoodRepositoryHasNoProblems) {
  const auto report = verify(sample::documents({k_a, k_b}));
  EXPECT_THAT(report.problems, IsEmpty());
  ASSERT_EQ(report.entries.size(), 2U);
  EXPECT_EQ(report.entries[1].location_href, k_b.location_href);
  EXPECT_EQ(report.entries[1].pkgid, k_b.pkgid.hex);
  EXPECT_EQ(report.entries[1].nevra, k_b.nevra);
}

TEST(Verify, EntriesAreThoseThatTheScannerFinds) {
  const auto repository = sample::stored(sample::documents({k_a, k_b, k_c}));
  const auto index = sample::read(repository);
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_EQ(verify_metadata(repository.repomd, repository.files).entries, sample::entries_of(*index));
}

TEST(Verify, FilesThatAreNotWhatRepomdSays) {  // I8
  auto repository = sample::stored(sample::documents({k_a}));
  auto& records = repository.repomd.records;
  records[0].size = 1;
  records[1].open_size = 2;
  records[2].checksum->hex = "3";
  records[2].open_checksum->hex = "4";
  EXPECT_THAT(verify_metadata(repository.repomd, repository.files).problems,
              ElementsAre(says("primary", "its size"), says("filelists", "its open-size"),
                          says("other", "its checksum"), says("other", "its open-checksum")));
}

TEST(Verify, CountsAndOrder) {  // I7
  PerKind<std::string> open = sample::documents({k_a, k_b});
  open[MetadataKind::filelists] = sample::documents({k_b, k_a})[MetadataKind::filelists];
  open[MetadataKind::other] = sample::documents({k_a})[MetadataKind::other];
  std::string& primary = open[MetadataKind::primary];
  primary.replace(primary.find("packages=\"2\""), 12, "packages=\"3\"");
  EXPECT_THAT(verify(open).problems, ElementsAre(says("primary", "lists 2 packages"), says("filelists", "position 0"),
                                                 says("other", "position 1")));
}

TEST(Verify, PaddedCountIsRight) {
  PerKind<std::string> open = sample::documents({k_a, k_b});
  std::string& primary = open[MetadataKind::primary];
  primary.replace(primary.find("packages=\"2\""), 12, "packages=\"0002 \"");
  EXPECT_THAT(verify(open).problems, IsEmpty());
}

TEST(Verify, DuplicateHrefs) {
  EXPECT_THAT(verify(sample::documents({k_a, k_a})).problems, ElementsAre(says("primary", k_a.location_href)));
}

TEST(Verify, WhatCannotBeReadIsAProblem) {
  auto repository = sample::stored(sample::documents({k_a, k_b}));
  std::string filelists = sample::bytes_of(repository.files[MetadataKind::filelists]);
  filelists.resize(filelists.size() - 9);
  repository.files[MetadataKind::filelists] = in_memory(std::move(filelists));
  repository.files[MetadataKind::other] = in_memory("<otherdata><package></otherdata>");
  repository.repomd.records.erase(repository.repomd.records.begin());
  EXPECT_THAT(verify_metadata(repository.repomd, repository.files).problems,
              ElementsAre(says("primary", "does not name it"), says("filelists", "its size"),
                          says("filelists", "its checksum"), says("filelists", "cannot be read"),
                          says("other", "its size"), says("other", "its checksum"), says("other", "cannot be read")));
}

}  // namespace
}  // namespace repoupdate
