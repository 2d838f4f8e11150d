// SPDX-License-Identifier: Apache-2.0
#include "repodata/repo_index.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "testkit/faulty_bytes.hpp"

namespace repoupdate {
namespace {

// Names in no order, some of them in several directories and with the same NEVRA.
std::vector<PackageRecord> shuffled_packages() {
  std::vector<PackageRecord> some;
  std::mt19937 random(5);
  for (int i = 0; i < 120; ++i) {
    const std::string name = "name-" + std::to_string(random() % 60) + std::string(random() % 30, 'x');
    auto record = sample::package(name, std::to_string(random() % 2), random() % 3 ? "" : "sub/dir/");
    const auto same = [&](const auto& other) { return other.location_href == record.location_href; };
    if (std::none_of(some.begin(), some.end(), same)) some.push_back(std::move(record));
  }
  return some;
}

RepoIndex index_of_shuffled(Compression compression) {
  const auto repository = sample::stored(sample::documents(shuffled_packages()));
  auto index = sample::read(repository, {.compression = compression, .threads = 1, .sizes = SegmentSizes{3'000}});
  EXPECT_TRUE(index) << index.error().text();
  return *std::move(index);
}

template <typename Match>
std::vector<ListedPackage> matching(const std::vector<ListedPackage>& all, Match match) {
  std::vector<ListedPackage> some;
  for (const auto& package : all)
    if (match(package.entry)) some.push_back(package);
  return some;
}

TEST(RepoIndex, ListsEverythingByPosition) {
  const auto expected = shuffled_packages();
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto index = index_of_shuffled(compression);
    for (const std::size_t threads : {1U, 4U}) {
      const auto listed = list_packages(index, threads);
      ASSERT_TRUE(listed) << listed.error().text();
      ASSERT_EQ(listed->size(), expected.size());
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ((*listed)[i].position, i);
        EXPECT_EQ((*listed)[i].entry.location_href, expected[i].location_href);
        EXPECT_EQ((*listed)[i].entry.pkgid, expected[i].pkgid.hex);
        EXPECT_EQ((*listed)[i].entry.nevra, expected[i].nevra);
      }
    }
  }
}

TEST(RepoIndex, FindsFileNamesAsAFullListingDoes) {
  std::mt19937 random(7);
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto index = index_of_shuffled(compression);
    const auto all = sample::list(index);
    for (int round = 0; round < 60; ++round) {
      std::set<std::string> names{"absent", "name-0", ""};
      for (auto count = random() % 4; count > 0; --count)
        names.insert(sample::basename(all[random() % all.size()].entry.location_href));
      const auto found = find_packages(index, names, 2);
      ASSERT_TRUE(found) << found.error().text();
      EXPECT_EQ(*found, matching(all, [&](const IndexEntry& entry) {
        return names.contains(sample::basename(entry.location_href));
      }));
    }
  }
}

TEST(RepoIndex, FindsNevrasAsAFullListingDoes) {
  std::mt19937 random(8);
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto index = index_of_shuffled(compression);
    const auto all = sample::list(index);
    for (int round = 0; round < 60; ++round) {
      std::set<Nevra> nevras{{"absent", "0", "1", "1", "noarch"}};
      for (auto count = random() % 4; count > 0; --count) nevras.insert(all[random() % all.size()].entry.nevra);
      const auto found = find_packages(index, nevras, 2);
      ASSERT_TRUE(found) << found.error().text();
      EXPECT_EQ(*found, matching(all, [&](const IndexEntry& entry) { return nevras.contains(entry.nevra); }));
    }
  }
}

TEST(RepoIndex, ReadsOnlyTheFramesThatMayHoldAName) {
  std::vector<PackageRecord> sorted;
  for (int i = 100; i < 160; ++i) sorted.push_back(sample::package("p" + std::to_string(i)));
  auto index = sample::read(sample::stored(sample::documents(sorted)),
                            {.compression = Compression::gz, .threads = 1, .sizes = SegmentSizes{1}});
  ASSERT_TRUE(index) << index.error().text();
  auto& stored = index->files[MetadataKind::primary].stored;
  const auto counted = std::make_shared<FaultyBytes>(sample::bytes_of(stored));
  stored = counted;
  EXPECT_EQ(find_packages(*index, std::set<std::string>{"p130-1-1.noarch.rpm"}, 1)->size(), 1U);
  EXPECT_EQ(counted->reads(), 1);
  EXPECT_EQ(find_packages(*index, std::set<std::string>{"absent"}, 1)->size(), 0U);
  EXPECT_EQ(counted->reads(), 1);
}

TEST(RepoIndex, DamageIsToldWithTheFile) {
  auto index = index_of_shuffled(Compression::gz);
  auto& stored = index.files[MetadataKind::primary].stored;
  std::string bytes = sample::bytes_of(stored);
  bytes[bytes.size() / 2] ^= 1;
  stored = in_memory(bytes);
  const auto listed = list_packages(index, 3);
  ASSERT_TRUE(listed.failed_with(ErrorKind::corrupt));
  EXPECT_NE(listed.error().message.find("-primary.xml"), std::string::npos) << listed.error().text();
}

TEST(RepoIndex, AnEmptyRepositoryListsNothing) {
  EXPECT_TRUE(list_packages(empty_repository(), 2)->empty());
  EXPECT_TRUE(find_packages(empty_repository(), std::set<std::string>{"a"}, 2)->empty());
}

}  // namespace
}  // namespace repoupdate
