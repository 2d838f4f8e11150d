// SPDX-License-Identifier: Apache-2.0
#include "repodata/file_digest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "repodata/segment_container.hpp"
#include "repodata/splice.hpp"

namespace repoupdate {
namespace {

// Of a repository with several frames, as published.
SegmentedFile published_file(Compression compression, HashType type) {
  std::vector<PackageRecord> packages;
  for (int i = 100; i < 140; ++i) packages.push_back(sample::package("p" + std::to_string(i)));
  const auto repository = sample::stored(sample::documents(packages), Compression::gz, type);
  const auto index = sample::read(repository, {.compression = compression, .threads = 1, .sizes = SegmentSizes{2'000}});
  return splice(*index, {}, {})->index.files[MetadataKind::primary];
}

TEST(FileDigest, StatesWhatIsStoredAndWhatIsOpen) {  // I8
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    for (const HashType type : {HashType::sha256, HashType::sha512, HashType::sha1}) {
      const SegmentedFile file = published_file(compression, type);
      ASSERT_GT(file.table.frames.size(), 6U);
      const std::string bytes = sample::bytes_of(file.stored);
      for (const std::size_t threads : {1U, 4U}) {
        const auto digest = digest_file(file, {.threads = threads});
        ASSERT_TRUE(digest) << digest.error().text();
        EXPECT_EQ(digest->checksum, (Checksum{type, hash_hex(type, bytes)}));
        EXPECT_EQ(digest->sha256, sha256_hex(bytes));
        EXPECT_EQ(digest->open_checksum, (Checksum{type, hash_hex(type, sample::decode(file.stored))}));
      }
    }
  }
}

TEST(FileDigest, OmitsTheOpenChecksum) {
  for (const HashType type : {HashType::sha256, HashType::sha512}) {
    const SegmentedFile file = published_file(Compression::gz, type);
    const auto digest = digest_file(file, {.open = false, .threads = 2});
    ASSERT_TRUE(digest) << digest.error().text();
    const std::string bytes = sample::bytes_of(file.stored);
    EXPECT_EQ(digest->checksum, (Checksum{type, hash_hex(type, bytes)}));
    EXPECT_EQ(digest->sha256, sha256_hex(bytes));
    EXPECT_FALSE(digest->open_checksum);
  }
}

// Kept frames need not be read or decompressed again, and say the same.
TEST(FileDigest, KeepsFrames) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    SegmentedFile file = published_file(compression, HashType::sha256);
    EXPECT_THAT(digest_file(file, {.threads = 2})->kept, testing::IsEmpty());
    const auto fresh = digest_file(file, {.keep = true, .threads = 2});
    ASSERT_EQ(fresh->kept.size(), file.table.frames.size());
    file.kept = fresh->kept;
    file.kept[2] = nullptr;
    const auto again = digest_file(file, {.keep = true, .threads = 2});
    ASSERT_TRUE(again) << again.error().text();
    EXPECT_EQ(again->checksum, fresh->checksum);
    EXPECT_EQ(again->open_checksum, fresh->open_checksum);
    std::string stored, open;
    for (const auto& frame : again->kept) stored += frame->stored, open += frame->open;
    EXPECT_EQ(stored, sample::bytes_of(file.stored).substr(file.first_frame, file.table.stored_size()));
    EXPECT_EQ(open, sample::decode(file.stored));
    EXPECT_EQ(again->kept[1], fresh->kept[1]) << "not a copy";
  }
}

TEST(FileDigest, FindsADamagedFrameWhereverItIs) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    SegmentedFile file = published_file(compression, HashType::sha256);
    const std::string good = sample::bytes_of(file.stored);
    for (const auto& place : frame_places(file)) {
      if (place.offset == file.first_frame + file.table.stored_size()) break;  // behind the last
      std::string damaged = good;
      damaged[place.offset + 8] ^= 1;
      file.stored = in_memory(damaged);
      EXPECT_TRUE(digest_file(file, {.threads = 2}).failed_with(ErrorKind::corrupt)) << place.offset;
    }
  }
}

}  // namespace
}  // namespace repoupdate
