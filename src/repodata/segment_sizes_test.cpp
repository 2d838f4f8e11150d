// SPDX-License-Identifier: Apache-2.0
#include "repodata/segment_sizes.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "repodata/frame_codec.hpp"
#include "repodata/frame_draft.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_mib = 1 << 20;

TEST(SegmentSizes, GrowWithLargeFilesAndStayInBounds) {
  EXPECT_EQ(segment_sizes(Compression::gz, 0).segment, 32U << 10);
  EXPECT_EQ(segment_sizes(Compression::gz, 100 * k_mib).frame, 2 * k_mib);
  EXPECT_GT(segment_sizes(Compression::gz, 3000 * k_mib).segment, 512U << 10) << "or the table would not fit";
  EXPECT_EQ(segment_sizes(Compression::zstd, 0).frame, k_mib / 4);
  EXPECT_EQ(segment_sizes(Compression::zstd, 3000 * k_mib).frame, 2 * k_mib);
  EXPECT_EQ(segment_sizes(Compression::zstd, k_mib).segment, k_uncut);
  for (const Compression compression : {Compression::gz, Compression::zstd})  // repomd.xml may say anything
    EXPECT_LT(segment_sizes(compression, std::numeric_limits<std::uint64_t>::max()).frame, k_max_frame_size / 20);
}

using Offsets = std::vector<std::size_t>;

TEST(CutEvenly, PiecesAreAboutAsLargeAsWanted) {
  Offsets starts;
  for (std::size_t i = 0; i < 100; ++i) starts.push_back(i * 10);
  EXPECT_EQ(cut_evenly(0, 1000, starts, 250), (Offsets{0, 250, 500, 750}));
  EXPECT_EQ(cut_evenly(0, 1000, starts, 300), (Offsets{0, 330, 660}));
  EXPECT_EQ(cut_evenly(0, 1000, starts, 700), (Offsets{0}));
  EXPECT_EQ(cut_evenly(500, 700, starts, 100), (Offsets{500, 600}));
  EXPECT_EQ(cut_evenly(0, 1000, starts, k_uncut), (Offsets{0}));
  EXPECT_EQ(cut_evenly(0, 40, starts, 1), (Offsets{0, 10, 20, 30}));
}

TEST(CutEvenly, PiecesHaveAPackage) {
  EXPECT_EQ(cut_evenly(0, 1000, {}, 100), (Offsets{0}));
  EXPECT_EQ(cut_evenly(0, 1000, {50}, 100), (Offsets{0})) << "what stands before it is none";
  EXPECT_EQ(cut_evenly(0, 1000, {50, 900}, 100), (Offsets{0, 900}));
}

TEST(CutEvenly, OnlyASinglePackageIsLargerThanTwice) {
  EXPECT_EQ(cut_evenly(0, 310, {0, 10, 300}, 100), (Offsets{0, 10, 300}));
  EXPECT_EQ(cut_evenly(0, 300, {0, 5, 190}, 100), (Offsets{0, 190}));
  EXPECT_EQ(cut_evenly(0, 5000, {0, 10, 20, 30}, 100), (Offsets{0, 30}));
}

}  // namespace
}  // namespace repoupdate
