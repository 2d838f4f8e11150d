// SPDX-License-Identifier: Apache-2.0
#include "repodata/segmenter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "repodata/item_reader.hpp"
#include "repodata/sample_metadata.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::SizeIs;

Result<SegmentedFile> segment(const std::string& document, const Segmenting& segmenting) {
  ItemReader reader(segmenting.kind, in_memory(document));
  std::string stored;
  const auto sink = [&](std::string_view bytes) -> Result<void> {
    stored += bytes;
    return {};
  };
  auto table = segment_document(
      segmenting, [&] { return reader.next(); }, sink);
  if (!table) return std::move(table).error();
  SegmentedFile file;
  file.kind = segmenting.kind;
  file.compression = segmenting.compression;
  file.table = *std::move(table);
  file.stored = in_memory(stored);
  return file;
}

std::vector<std::string> frames_of(const SegmentedFile& file) {
  std::vector<std::string> frames;
  FrameReader reader(file);
  for (std::size_t i = 0; i < file.table.frames.size(); ++i) {
    const auto open = reader.open(i);
    frames.emplace_back(open ? *open : open.error().text());
  }
  return frames;
}

std::string joined(const std::vector<std::string>& frames) {
  std::string all;
  for (const auto& frame : frames) all += frame;
  return all;
}

std::vector<PackageRecord> packages(std::size_t count) {
  std::vector<PackageRecord> some;
  for (std::size_t i = 0; i < count; ++i) some.push_back(sample::package(std::to_string(1000 + i)));
  return some;
}

Segmenting with(MetadataKind kind, Compression compression, SegmentSizes sizes, std::size_t threads = 1) {
  return {kind, compression, sizes, threads};
}

TEST(Segmenter, FramesAreTheDocumentInOrder) {
  const auto open = sample::documents(packages(60));
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    for (const auto& about : k_metadata_kinds) {
      const SegmentSizes sizes{2'000, compression == Compression::gz ? 500 : k_uncut};
      const auto file = segment(open[about.kind], with(about.kind, compression, sizes));
      ASSERT_TRUE(file) << file.error().text();
      const auto frames = frames_of(*file);
      EXPECT_EQ(joined(frames), open[about.kind]);
      EXPECT_EQ(file->table.packages(), 60U);
      EXPECT_GT(frames.size(), 5U);
      EXPECT_EQ(frames.front().find("<package "), std::string::npos);
      EXPECT_TRUE(frames.back().starts_with("</"));
      for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
        EXPECT_TRUE(frames[i].starts_with("<package "));
        EXPECT_THAT(frames[i].size(), Le(4'000U));
        EXPECT_EQ(file->table.frames[i].segments.size() > 1, compression == Compression::gz);
      }
    }
  }
}

TEST(Segmenter, ThreadsDoNotChangeTheResult) {  // I5
  const auto open = sample::documents(packages(200));
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const SegmentSizes sizes{3'000, k_uncut};
    const auto one = segment(open[MetadataKind::primary], with(MetadataKind::primary, compression, sizes));
    const auto four = segment(open[MetadataKind::primary], with(MetadataKind::primary, compression, sizes, 4));
    ASSERT_TRUE(one && four);
    EXPECT_EQ(one->table, four->table);
    EXPECT_EQ(sample::bytes_of(one->stored), sample::bytes_of(four->stored));
  }
}

TEST(Segmenter, NamesOfPrimaryAreWithinTheirFrames) {
  const auto file = segment(sample::documents(packages(20))[MetadataKind::primary],
                            with(MetadataKind::primary, Compression::gz, {1, 1}));
  ASSERT_TRUE(file) << file.error().text();
  ASSERT_THAT(file->table.frames, SizeIs(22));
  EXPECT_EQ(file->table.frames[3].names, (NameRange{"1002-1-1.noarch.rpm", "1002-1-1.noarch.rpm"}));
}

TEST(Segmenter, ALargePackageGetsAFrameOfItsOwn) {
  auto some = packages(5);
  some[2].fragments[MetadataKind::other].insert(10, std::string(100'000, ' '));
  const auto file = segment(sample::documents(some)[MetadataKind::other],
                            with(MetadataKind::other, Compression::gz, {10'000, 1'000}));
  ASSERT_TRUE(file) << file.error().text();
  std::vector<std::uint32_t> counts;
  for (const Frame& frame : file->table.frames) counts.push_back(frame.packages);
  EXPECT_THAT(counts, ElementsAre(0, 2, 1, 2, 0));
}

TEST(Segmenter, NoPackagesAreTwoFrames) {
  const auto file =
      segment(sample::documents({})[MetadataKind::primary], with(MetadataKind::primary, Compression::gz, {1, 1}));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_THAT(file->table.frames, SizeIs(2));
  EXPECT_EQ(joined(frames_of(*file)), sample::documents({})[MetadataKind::primary]);
}

TEST(Segmenter, AnEmptyRootIsOpened) {
  const auto file = segment("<otherdata xmlns='http://linux.duke.edu/metadata/other'/>\n",
                            with(MetadataKind::other, Compression::zstd, {1'000, k_uncut}));
  ASSERT_TRUE(file) << file.error().text();
  EXPECT_THAT(frames_of(*file),
              ElementsAre("<otherdata xmlns='http://linux.duke.edu/metadata/other' packages=\"0\">", "</otherdata>\n"));
}

TEST(Segmenter, GapsStayWithThePackageBefore) {
  std::string open = sample::documents(packages(2))[MetadataKind::other];
  open.insert(open.find("<package "), "<!-- first -->");
  open.insert(open.rfind("<package "), "<!-- second -->");
  open.insert(open.rfind("</"), "<!-- third -->");
  const auto file = segment(open, with(MetadataKind::other, Compression::gz, {1, 1}));
  ASSERT_TRUE(file) << file.error().text();
  const auto frames = frames_of(*file);
  EXPECT_EQ(joined(frames), open);
  EXPECT_THAT(frames, ElementsAre(HasSubstr("first"), HasSubstr("second"), HasSubstr("third"), "</otherdata>"));
}

TEST(Segmenter, FailuresOfItsSourceAndSinkArePassedOn) {
  const Segmenting segmenting = with(MetadataKind::other, Compression::gz, {1, 1}, 3);
  EXPECT_TRUE(segment("<otherdata><package>", segmenting).failed_with(ErrorKind::unsupported)) << "its namespace";
  std::string open = sample::documents(packages(20))[MetadataKind::other];
  EXPECT_TRUE(segment(open.substr(0, open.size() - 30), segmenting).failed_with(ErrorKind::corrupt));
  ItemReader reader(MetadataKind::other, in_memory(open));
  const auto full = [](std::string_view) -> Result<void> { return Error{ErrorKind::no_space, "full", {}}; };
  EXPECT_TRUE(segment_document(
                  segmenting, [&] { return reader.next(); }, full)
                  .failed_with(ErrorKind::no_space));
}

}  // namespace
}  // namespace repoupdate
