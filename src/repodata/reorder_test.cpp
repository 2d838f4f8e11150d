// SPDX-License-Identifier: Apache-2.0
#include "repodata/reorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "repodata/sample_metadata.hpp"

namespace repoupdate {
namespace {

using ::testing::HasSubstr;

const PackageRecord k_a = sample::package("a"), k_b = sample::package("b"), k_c = sample::package("c"),
                    k_d = sample::package("d");

SegmentedFile primary_of(const std::vector<PackageRecord>& packages) {
  auto index = sample::read(sample::stored(sample::documents(packages)),
                            {.compression = Compression::gz, .threads = 1, .sizes = SegmentSizes{1}});
  EXPECT_TRUE(index) << index.error().text();
  return index->files[MetadataKind::primary];
}

Result<std::string> reorder(const std::string& document, const SegmentedFile& primary) {
  MemoryScratch scratch;
  auto items = OrderedItems::read(MetadataKind::other, in_memory(document), primary, scratch);
  if (!items) return std::move(items).error();
  std::string ordered;
  for (;;) {
    const auto item = items->next();
    if (!item) return item.error();
    if (!*item) return ordered;
    ordered += (*item)->bytes;
  }
}

std::string other_of(const std::vector<PackageRecord>& packages) {
  return sample::documents(packages)[MetadataKind::other];
}

TEST(OrderedItems, FollowPrimary) {  // I7
  const auto primary = primary_of({k_a, k_b, k_c});
  const auto ordered = reorder(other_of({k_c, k_a, k_b}), primary);
  ASSERT_TRUE(ordered) << ordered.error().text();
  EXPECT_EQ(*ordered, other_of({k_a, k_b, k_c}));
  EXPECT_EQ(*reorder(other_of({k_a, k_b, k_c}), primary), other_of({k_a, k_b, k_c}));
}

TEST(OrderedItems, EachKeepsTheGapBehindIt) {  // I6
  std::string document = other_of({k_b, k_a});
  document.insert(document.find("<package "), "<!-- begin -->");
  document.insert(document.rfind("<package "), "<!-- b -->\n");
  document.insert(document.rfind("</otherdata"), "<!-- a -->");
  std::string expected = other_of({k_a, k_b});
  expected.insert(expected.find("<package "), "<!-- begin -->");
  expected.insert(expected.rfind("<package "), "<!-- a -->");
  expected.insert(expected.rfind("</otherdata"), "<!-- b -->\n");
  EXPECT_EQ(*reorder(document, primary_of({k_a, k_b})), expected);
}

TEST(OrderedItems, TheSamePkgidTwiceStandsTwice) {
  auto copy = k_b;
  std::string& fragment = copy.fragments[MetadataKind::other];
  fragment.replace(fragment.find("- &lt;"), 6, "+ &lt;");
  const auto ordered = reorder(other_of({k_b, copy, k_a}), primary_of({k_a, k_b, k_b}));
  ASSERT_TRUE(ordered) << ordered.error().text();
  EXPECT_EQ(*ordered, other_of({k_a, k_b, copy}));
}

TEST(OrderedItems, OtherPackagesAreCorrupt) {  // semantics 28
  const auto primary = primary_of({k_a, k_b});
  const auto fail = [&](const std::vector<PackageRecord>& packages) {
    const auto ordered = reorder(other_of(packages), primary);
    EXPECT_TRUE(ordered.failed_with(ErrorKind::corrupt));
    return ordered ? std::string() : ordered.error().message;
  };
  EXPECT_THAT(fail({k_a}), HasSubstr(k_b.pkgid.hex));
  EXPECT_THAT(fail({k_a, k_b, k_d}), HasSubstr(k_d.pkgid.hex));
  EXPECT_THAT(fail({k_a, k_b, k_b}), HasSubstr(k_b.pkgid.hex));
  EXPECT_THAT(fail({}), HasSubstr(k_a.pkgid.hex));
}

TEST(OrderedItems, NothingIsInOrder) {
  EXPECT_EQ(*reorder(other_of({}), primary_of({})), other_of({}));
}

}  // namespace
}  // namespace repoupdate
