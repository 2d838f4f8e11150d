// SPDX-License-Identifier: Apache-2.0
#include "repodata/frame_edit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <span>
#include <string>
#include <vector>

namespace repoupdate {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

struct OldFrame {
  std::span<const Segment> segments;
  std::uint64_t offset = 0;
  std::string open;
};

OldFrames join(const std::vector<OldFrame>& frames) {
  OldFrames joined;
  for (const OldFrame& frame : frames) {
    joined.frames.push_back({frame.segments, frame.offset, frame.open.size()});
    joined.open += frame.open;
  }
  return joined;
}

// A package of filelists with so many bytes.
std::string package(const std::string& pkgid, std::size_t size) {
  std::string fragment = "<package pkgid=\"" + pkgid + "\"><file>/";
  const std::string end = "</file></package>\n";
  fragment += std::string(size - fragment.size() - end.size(), 'x') + end;
  return fragment;
}

// A frame of packages "0", "1", ... of this size each, cut into segments of `packed` packages.
struct SampleFrame {
  SampleFrame(std::size_t packages, std::size_t size, std::size_t packed) {
    for (std::size_t i = 0; i < packages; ++i) {
      open += package(std::to_string(i), size);
      if (i % packed == 0) segments.push_back({100, 0, 0});
      segments.back().open_size += static_cast<std::uint32_t>(size);
      ++segments.back().packages;
    }
  }
  OldFrame old(std::uint64_t offset = 1000) const { return {segments, offset, open}; }

  std::vector<Segment> segments;
  std::string open;
};

EditedFrames edit(const std::vector<OldFrame>& old, const FrameEdit& change, const SegmentSizes& sizes) {
  auto edited = edit_frames(MetadataKind::filelists, join(old), change, sizes);
  EXPECT_TRUE(edited) << edited.error().text();
  if (!edited) return {};
  std::size_t begin = 0;
  for (const DraftFrame& draft : edited->drafts) {  // side by side, and segments side by side in them
    EXPECT_EQ(draft.open, std::string_view(edited->open).substr(begin, draft.open.size()));
    begin += draft.open.size();
    std::size_t at = 0;
    for (const DraftSegment& segment : draft.segments) {
      EXPECT_EQ(std::exchange(at, segment.end), segment.begin);
      EXPECT_GT(segment.packages, 0U);
    }
    EXPECT_EQ(at, draft.open.size());
  }
  EXPECT_EQ(begin, edited->open.size());
  return *std::move(edited);
}

// What is copied from where; 0 is compressed.
std::vector<std::uint64_t> copies(const DraftFrame& draft) {
  std::vector<std::uint64_t> offsets;
  for (const DraftSegment& segment : draft.segments) offsets.push_back(segment.copy_size > 0 ? segment.copy_offset : 0);
  return offsets;
}
std::vector<std::size_t> sizes_of(const DraftFrame& draft) {
  std::vector<std::size_t> sizes;
  for (const DraftSegment& segment : draft.segments) sizes.push_back(segment.end - segment.begin);
  return sizes;
}
std::vector<std::size_t> sizes_of(const EditedFrames& edited) {
  std::vector<std::size_t> sizes;
  for (const DraftFrame& draft : edited.drafts) sizes.push_back(draft.open.size());
  return sizes;
}

constexpr SegmentSizes k_large{4 << 20, 40'000};  // of which a segment is more than deflate reaches back

TEST(FrameEdit, SegmentsBeyondTheReachOfAChangeAreCopied) {
  const SampleFrame frame(10, 40'000, 1);
  const std::string fresh = package("new", 40'000);
  // Into segment 4; the bytes of segment 5 follow others now, segment 6 only those of segment 5.
  const auto edited = edit({frame.old()}, {{}, {{4, fresh}}}, k_large);
  EXPECT_EQ(edited.open, frame.open.substr(0, 160'000) + fresh + frame.open.substr(160'000));
  ASSERT_EQ(edited.drafts.size(), 1U);
  EXPECT_THAT(copies(edited.drafts[0]), ElementsAre(1000, 1100, 1200, 1300, 0, 0, 1500, 1600, 1700, 1800, 1900));
}

TEST(FrameEdit, SegmentsThatReferToAChangeAreCompressedAnew) {
  const SegmentSizes sizes{4 << 20, 10'000};
  const SampleFrame frame(10, 10'000, 1);
  // Package 1 goes: segments 2, 3, 4 and 5 may refer to it or to what stood before it, segment 6 may not.
  const auto edited = edit({frame.old()}, {{{1, "1"}}, {}}, sizes);
  EXPECT_EQ(edited.open, frame.open.substr(0, 10'000) + frame.open.substr(20'000));
  ASSERT_EQ(edited.drafts.size(), 1U);
  EXPECT_THAT(copies(edited.drafts[0]), ElementsAre(1000, 0, 0, 0, 0, 1600, 1700, 1800, 1900));
}

TEST(FrameEdit, ChangeInTheFirstPackagesReachesAsFarAsTheyDo) {
  const SampleFrame frame(4, 40'000, 1);
  // Segment 1 refers to at most 32 KiB before it: all of segment 0.
  const auto erased = edit({frame.old()}, {{{0, "0"}}, {}}, k_large);
  EXPECT_THAT(copies(erased.drafts.at(0)), ElementsAre(0, 1200, 1300));
  const std::string fresh = package("new", 40'000);
  const auto inserted = edit({frame.old()}, {{}, {{0, fresh}}}, k_large);
  EXPECT_THAT(copies(inserted.drafts.at(0)), ElementsAre(0, 0, 1100, 1200, 1300));
  const auto appended = edit({frame.old()}, {{}, {{4, fresh}}}, k_large);
  EXPECT_THAT(copies(appended.drafts.at(0)), ElementsAre(1000, 1100, 1200, 0, 0));
}

TEST(FrameEdit, AFrameWithoutSegmentsIsCompressedAsAWhole) {
  const SampleFrame frame(4, 40'000, 1);
  const auto edited = edit({{{}, 1000, frame.open}}, {{{3, "3"}}, {}}, k_large);
  EXPECT_THAT(copies(edited.drafts.at(0)), ElementsAre(0, 0, 0));
}

TEST(FrameEdit, SmallSegmentsTakeANeighbourWithThem) {
  const SampleFrame frame(12, 20'000, 2);  // segments of 40,000
  const auto middle = edit({frame.old()}, {{{4, "4"}, {5, "5"}}, {{5, package("n", 1'000)}}}, k_large);
  EXPECT_THAT(sizes_of(middle.drafts.at(0)), ElementsAre(40'000, 40'000, 41'000, 40'000, 40'000));
  EXPECT_THAT(copies(middle.drafts.at(0)), ElementsAre(1000, 1100, 0, 1400, 1500));
  const auto last = edit({frame.old()}, {{{10, "10"}, {11, "11"}}, {{12, package("n", 1'000)}}}, k_large);
  EXPECT_THAT(sizes_of(last.drafts.at(0)), ElementsAre(40'000, 40'000, 40'000, 40'000, 41'000));
  EXPECT_THAT(copies(last.drafts.at(0)), ElementsAre(1000, 1100, 1200, 1300, 0));
}

TEST(FrameEdit, WhatIsLeftBetweenPackagesIsNoSegmentOfItsOwn) {
  SampleFrame frame(3, 40'000, 1);
  const std::string comment = "<!--" + std::string(39'000, '.') + "-->\n";
  frame.open.insert(80'000, comment);
  frame.segments[1].open_size += static_cast<std::uint32_t>(comment.size());
  const auto edited = edit({frame.old()}, {{{1, "1"}}, {}}, k_large);
  EXPECT_NE(edited.open.find(comment), std::string::npos);
}

TEST(FrameEdit, LargeSegmentsAreCut) {
  const SampleFrame frame(10, 1'000, 10);
  const SegmentSizes sizes{4 << 20, 2'000};
  const auto edited = edit({frame.old()}, {{{9, "9"}}, {}}, sizes);
  EXPECT_THAT(sizes_of(edited.drafts.at(0)), AllOf(SizeIs(5), Each(Le(2'000U))));
}

TEST(FrameEdit, AFrameIsSplitBeyondTwiceItsSize) {
  const SampleFrame frame(20, 1'000, 20);
  const SegmentSizes sizes{10'000, k_uncut};
  const std::string fresh = package("new", 1'000);
  EXPECT_THAT(sizes_of(edit({frame.old()}, {{{0, "0"}}, {{20, fresh}}}, sizes)), ElementsAre(20'000));
  EXPECT_THAT(sizes_of(edit({frame.old()}, {{}, {{20, fresh}}}, sizes)), ElementsAre(10'000, 11'000));
}

TEST(FrameEdit, AFrameThatIsNotCutHasOneSegmentWhateverItsSize) {
  const SampleFrame frame(19, 1'000, 19);
  const auto edited = edit({{{}, 1000, frame.open}}, {{{0, "0"}}, {}}, {10'000, k_uncut});
  EXPECT_THAT(sizes_of(edited.drafts.at(0)), ElementsAre(18'000));
}

TEST(FrameEdit, ALargePackageIsAFrameOfItsOwn) {
  const SampleFrame frame(10, 1'000, 10);
  const SegmentSizes sizes{10'000, 1'000};
  const std::string fresh = package("new", 500'000);
  EXPECT_THAT(sizes_of(edit({frame.old()}, {{}, {{5, fresh}}}, sizes)), ElementsAre(5'000, 500'000, 5'000));
  EXPECT_THAT(sizes_of(edit({frame.old()}, {{}, {{0, fresh}}}, sizes)), ElementsAre(500'000, 10'000));
  EXPECT_THAT(sizes_of(edit({frame.old()}, {{}, {{10, fresh}}}, sizes)), ElementsAre(10'000, 500'000));
}

TEST(FrameEdit, JoinedFramesKeepTheirSegments) {
  const SampleFrame first(2, 40'000, 1), second(3, 40'000, 1);
  const auto edited = edit({first.old(1000), second.old(5000)}, {{{0, "0"}}, {}}, k_large);
  EXPECT_EQ(edited.open, first.open.substr(40'000) + second.open);
  EXPECT_THAT(copies(edited.drafts.at(0)), ElementsAre(0, 5000, 5100, 5200));
}

TEST(FrameEdit, PackagesOfTheSecondFrameAreCountedOn) {
  const SampleFrame first(2, 40'000, 1), second(2, 40'000, 1);
  const std::string fresh = package("new", 40'000);
  const auto edited = edit({first.old(1000), second.old(5000)}, {{{3, "1"}}, {{2, fresh}}}, k_large);
  EXPECT_EQ(edited.open, first.open + fresh + second.open.substr(0, 40'000));
}

TEST(FrameEdit, NothingIsLeftWhenTheLastPackageGoes) {
  SampleFrame frame(2, 1'000, 2);
  frame.open += "  <!-- end -->\n";
  const auto edited = edit({{{}, 0, frame.open}}, {{{0, "0"}, {1, "1"}}, {}}, k_large);
  EXPECT_THAT(edited.drafts, IsEmpty());
  EXPECT_EQ(edited.open, "");
}

TEST(FrameEdit, FirstPackagesOfAll) {
  const std::string a = package("a", 100), b = package("b", 100);
  const auto edited = edit({}, {{}, {{0, a}, {0, b}}}, k_large);
  EXPECT_EQ(edited.open, a + b);
  EXPECT_THAT(sizes_of(edited), ElementsAre(200));
}

TEST(FrameEdit, AnErasedPackageTakesTheRestOfItsLine) {
  const auto erase_second = [](const std::string& gap) {
    const std::string open = "<package pkgid='0'/>\n<package pkgid='1'/>" + gap + "<package pkgid='2'/>\n";
    return edit({{{}, 0, open}}, {{{1, "1"}}, {}}, k_large).open;
  };
  const std::string begin = "<package pkgid='0'/>\n", end = "<package pkgid='2'/>\n";
  EXPECT_EQ(erase_second("\n"), begin + end);
  EXPECT_EQ(erase_second(" \t\r\n  "), begin + "  " + end);
  EXPECT_EQ(erase_second(""), begin + end);
  EXPECT_EQ(erase_second("  "), begin + end);
  EXPECT_EQ(erase_second("  <!-- 2 -->\n"), begin + "<!-- 2 -->\n" + end);
}

TEST(FrameEdit, AnInsertedPackageBeginsALine) {
  const std::string open = "<package pkgid='0'/><package pkgid='1'/>", fresh = "<package pkgid='n'/>\n";
  EXPECT_EQ(edit({{{}, 0, open}}, {{}, {{1, fresh}}}, k_large).open,
            "<package pkgid='0'/>\n" + fresh + "<package pkgid='1'/>");
  EXPECT_EQ(edit({{{}, 0, open}}, {{}, {{2, fresh}}}, k_large).open, open + '\n' + fresh);
}

TEST(FrameEdit, AnotherPackageIsNotErased) {
  const SampleFrame frame(3, 1'000, 3);
  const auto apply = [&](const FrameEdit& change) {
    return edit_frames(MetadataKind::filelists, join({frame.old()}), change, k_large);
  };
  EXPECT_TRUE(apply({{{1, "2"}}, {}}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(apply({{{3, "3"}}, {}}).failed_with(ErrorKind::corrupt)) << "the table said that there are more";
}

}  // namespace
}  // namespace repoupdate
