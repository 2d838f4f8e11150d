// SPDX-License-Identifier: Apache-2.0
#include "repodata/index_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "repodata/segment_container.hpp"
#include "repodata/splice.hpp"
#include "repodata/verify.hpp"
#include "testkit/faulty_bytes.hpp"

namespace repoupdate {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const SegmentSizes k_gz{2'000, 800};  // a few packages a segment, a few segments a frame
const SegmentSizes k_zstd{2'000, k_uncut};

SegmentSizes sizes(Compression compression) {
  return compression == Compression::gz ? k_gz : k_zstd;
}
IndexReading reading(Compression compression) {
  return {.compression = compression, .threads = 2, .sizes = sizes(compression)};
}

std::vector<PackageRecord> packages() {
  std::vector<PackageRecord> some;
  for (int i = 0; i < 24; ++i) some.push_back(sample::package("p" + std::to_string(100 + i)));
  return some;
}
const PackageRecord k_new = sample::package("p1055");  // between 105 and 106

// A repository that this program has published.
sample::StoredRepository published(const std::vector<PackageRecord>& some, Compression compression) {
  const auto index = sample::read(sample::stored(sample::documents(some)), reading(compression));
  const auto spliced = splice(*index, {}, {});
  return sample::publish(spliced->publication);
}

// The bytes of a file with another table, and what repomd says about them. A gzip file ends with the CRC of what it
// holds all the same.
void put_table(sample::StoredRepository& repository, const SegmentedFile& file, const SegmentTable& table) {
  Container container = make_container(file.compression, table);
  if (file.compression == Compression::gz) container.tail = make_container(file.compression, file.table).tail;
  const std::string old = sample::bytes_of(file.stored);
  std::string bytes = container.head + old.substr(file.first_frame, file.table.stored_size()) + container.tail;
  for (auto& record : repository.repomd.records) {
    if (record.type != info(file.kind).name) continue;
    record.size = bytes.size();
    record.checksum = Checksum{HashType::sha256, sha256_hex(bytes)};
  }
  repository.files[file.kind] = in_memory(std::move(bytes));
}

// However a table lies: the lie is found, and what is published on top of it is right.
void expect_right(const sample::StoredRepository& repository, Compression compression,
                  const std::vector<PackageRecord>& listed, bool believed) {
  MemoryScratch scratch;
  const auto index = read_index(repository.repomd, repository.files, reading(compression), scratch);
  ASSERT_TRUE(index) << index.error().text();
  EXPECT_EQ(scratch.created() == 0, believed);
  EXPECT_EQ(index->packages(), listed.size());
  MetadataEdit edit = sample::inserting({k_new});
  edit.erases = sample::erasing(*index, {2, 11}).erases;
  auto expected = listed;
  expected.erase(expected.begin() + 11);
  expected.erase(expected.begin() + 2);
  expected.push_back(k_new);
  std::sort(expected.begin(), expected.end(), sample::before);
  const auto spliced = splice(*index, edit, {});
  ASSERT_TRUE(spliced) << spliced.error().text();
  const auto open = sample::open_of(spliced->publication), documents = sample::documents(expected);
  for (const auto& about : k_metadata_kinds) EXPECT_EQ(open[about.kind], documents[about.kind]);
  const auto renewed = sample::publish(spliced->publication);
  EXPECT_THAT(verify_metadata(renewed.repomd, renewed.files).problems, IsEmpty());
}

using Lie = std::function<void(SegmentTable& table)>;

void expect_found_out(const std::string& what, MetadataKind kind, Compression compression, const Lie& lie,
                      bool believed = false) {
  SCOPED_TRACE(what + " in " + std::string(info(kind).name) + std::string(file_suffix(compression)));
  auto repository = published(packages(), compression);
  const auto index = sample::read(repository, reading(compression));
  ASSERT_TRUE(index) << index.error().text();
  SegmentTable table = index->files[kind].table;
  lie(table);
  ASSERT_NE(table, index->files[kind].table);
  put_table(repository, index->files[kind], table);
  expect_right(repository, compression, packages(), believed);
}

void for_every_file(const std::function<void(MetadataKind, Compression)>& check) {
  for (const Compression compression : {Compression::gz, Compression::zstd})
    for (const auto& about : k_metadata_kinds) check(about.kind, compression);
}

TEST(IndexReader, BelievesWhatItsOwnTablesSay) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto repository = published(packages(), compression);
    const auto index = sample::read(repository, reading(compression));
    ASSERT_TRUE(index) << index.error().text();
    for (const auto& file : index->files.values) EXPECT_GT(file.table.frames.size(), 4U);
    expect_right(repository, compression, packages(), true);
  }
}

TEST(IndexReader, CutsWhatOthersWrote) {
  for (const Compression from : {Compression::gz, Compression::zstd})
    for (const Compression to : {Compression::gz, Compression::zstd})
      expect_right(sample::stored(sample::documents(packages()), from), to, packages(), false);
}

TEST(IndexReader, CutsItsOwnFilesForAnotherCompression) {
  expect_right(published(packages(), Compression::gz), Compression::zstd, packages(), false);
  expect_right(published(packages(), Compression::zstd), Compression::gz, packages(), false);
}

TEST(IndexReader, FindsOutAWrongCount) {
  for_every_file([](MetadataKind kind, Compression compression) {
    expect_found_out("a package hidden", kind, compression, [](SegmentTable& table) {
      Frame& frame = table.frames[2];
      --frame.packages;
      if (!frame.segments.empty()) --frame.segments[0].packages;
      if (!frame.segments.empty() && frame.segments[0].packages == 0) frame.segments.clear();
    });
    expect_found_out("a package moved", kind, compression, [](SegmentTable& table) {
      ++table.frames[1].packages;
      --table.frames[2].packages;
      table.frames[1].segments.clear();
      table.frames[2].segments.clear();
    });
    expect_found_out("another CRC", kind, compression, [](SegmentTable& table) { table.frames[2].crc32 ^= 1; });
  });
}

// All sizes add up, but nothing is where it is said to be.
TEST(IndexReader, FindsOutShiftedBoundaries) {
  for_every_file([](MetadataKind kind, Compression compression) {
    expect_found_out("stored bytes", kind, compression, [](SegmentTable& table) {
      ++table.frames[1].stored_size;
      --table.frames[2].stored_size;
      for (auto& frame : table.frames) frame.segments.clear();
    });
    expect_found_out("open bytes", kind, compression, [](SegmentTable& table) {
      ++table.frames[1].open_size;
      --table.frames[2].open_size;
      for (auto& frame : table.frames) frame.segments.clear();
    });
    expect_found_out("two frames as one", kind, compression, [](SegmentTable& table) {
      Frame& frame = table.frames[1];
      const Frame& next = table.frames[2];
      frame.crc32 = combine_crc32(frame.crc32, next.crc32, next.open_size);
      frame.stored_size += next.stored_size;
      frame.open_size += next.open_size;
      frame.segments.clear();  // and its packages are still those of one
      table.frames.erase(table.frames.begin() + 2);
    });
  });
}

// Everything is true but which of its parts a frame says are stored where: found only when they are copied.
TEST(IndexReader, SegmentsThatAreStoredElsewhereAreCompressedAnew) {
  for (const auto& about : k_metadata_kinds) {
    expect_found_out(
        "stored bytes of segments", about.kind, Compression::gz,
        [](SegmentTable& table) {
          for (auto& frame : table.frames) {
            if (frame.segments.size() < 2) continue;
            frame.segments.front().stored_size += 5;
            frame.segments.back().stored_size -= 5;
          }
        },
        true);
    expect_found_out("open bytes of segments", about.kind, Compression::gz, [](SegmentTable& table) {
      for (auto& frame : table.frames) {
        if (frame.segments.size() < 2) continue;
        frame.segments.front().open_size += 5;
        frame.segments.back().open_size -= 5;
      }
    });
  }
}

TEST(IndexReader, FindsOutNamesThatAreElsewhere) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    expect_found_out("names", MetadataKind::primary, compression, [](SegmentTable& table) {
      table.frames[2].names = {"x", "z"};
    });
    // Names that are not known cost time only.
    expect_found_out(
        "no names", MetadataKind::primary, compression, [](SegmentTable& table) { table.frames[2].names = {}; }, true);
  }
}

TEST(IndexReader, FindsOutTheTableOfAnotherFile) {
  auto others = packages();
  others[5] = sample::package("p105", "2");
  for_every_file([&](MetadataKind kind, Compression compression) {
    const auto other = sample::read(published(others, compression), reading(compression));
    auto repository = published(packages(), compression);
    const auto index = sample::read(repository, reading(compression));
    ASSERT_TRUE(other && index);
    put_table(repository, index->files[kind], other->files[kind].table);
    expect_right(repository, compression, packages(), false);
  });
}

// A document whose comment hides a package, cut so that each frame looks as if it did not.
TEST(IndexReader, APackageInACommentIsNone) {
  const auto open = sample::documents({k_new})[MetadataKind::other];
  const std::size_t begin = open.find("<package "), end = open.rfind("</otherdata");
  const std::string parts[] = {open.substr(0, begin) + "<!--", open.substr(begin, end - begin),
                               "-->" + open.substr(end)};
  SegmentedFile file{.kind = MetadataKind::other};
  std::string stored;
  for (const std::string& part : parts) {
    FrameEncoder encoder(Compression::gz);
    const std::string bytes = encoder.encode(part, {});
    file.table.frames.push_back({.stored_size = bytes.size(),
                                 .open_size = part.size(),
                                 .crc32 = crc32_of(part),
                                 .packages = &part == &parts[1] ? 1U : 0U});
    stored += bytes;
  }
  file.stored = in_memory(stored);
  auto repository = published({k_new}, Compression::gz);
  put_table(repository, file, file.table);
  EXPECT_TRUE(sample::read(repository, reading(Compression::gz)).failed_with(ErrorKind::corrupt))
      << "other lists nothing, primary does";
}

TEST(IndexReader, ADamagedTableIsIgnored) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    auto repository = published(packages(), compression);
    const SharedBytes& old = repository.files[MetadataKind::filelists];
    std::string bytes = sample::bytes_of(old);
    bytes[compression == Compression::gz ? 30 : bytes.size() - 30] ^= 4;
    auto& record = repository.repomd.records[1];
    record.checksum = Checksum{HashType::sha256, sha256_hex(bytes)};
    repository.files[MetadataKind::filelists] = in_memory(bytes);
    expect_right(repository, compression, packages(), false);
  }
}

// So many frames that the header of a gzip file has no room for their names, and then none for any table.
TEST(IndexReader, ShortenedAndMissingTablesCostTimeOnly) {
  IndexReading by = reading(Compression::gz);
  by.sizes = SegmentSizes{1, 1};
  for (const int count : {1'500, 7'000}) {
    std::vector<PackageRecord> some;
    for (int i = 0; i < count; ++i) some.push_back(sample::package("p" + std::to_string(10'000 + i)));
    const auto first = sample::read(sample::stored(sample::documents(some)), by);
    ASSERT_TRUE(first) << first.error().text();
    const auto repository = sample::publish(splice(*first, {}, {})->publication);
    MemoryScratch scratch;
    const auto index = read_index(repository.repomd, repository.files, by, scratch);
    ASSERT_TRUE(index) << index.error().text();
    EXPECT_EQ(scratch.created() == 0, count == 1'500);
    const auto spliced = splice(*index, sample::erasing(*index, {7}), {});
    ASSERT_TRUE(spliced) << spliced.error().text();
    some.erase(some.begin() + 7);
    const auto open = sample::open_of(spliced->publication), expected = sample::documents(some);
    for (const auto& about : k_metadata_kinds) EXPECT_TRUE(open[about.kind] == expected[about.kind]);
  }
}

TEST(IndexReader, AFailureToReadIsNoReasonToCutAnew) {
  auto repository = published(packages(), Compression::gz);
  const auto broken = std::make_shared<FaultyBytes>(sample::bytes_of(repository.files[MetadataKind::other]));
  repository.files[MetadataKind::other] = broken;
  for (auto& record : repository.repomd.records) record.checksum = {}, record.size = {};
  broken->broken_from = broken->size() / 2;
  MemoryScratch scratch;
  const auto index = read_index(repository.repomd, repository.files, reading(Compression::gz), scratch);
  EXPECT_FALSE(index);
  EXPECT_EQ(scratch.created(), 0) << (index ? "" : index.error().text());
}

TEST(IndexReader, AFullScratchIsTold) {
  MemoryScratch full(100);
  const auto repository = sample::stored(sample::documents(packages()));
  EXPECT_TRUE(
      read_index(repository.repomd, repository.files, reading(Compression::gz), full).failed_with(ErrorKind::no_space));
}

TEST(IndexReader, OneThreadReadsWhatManyRead) {
  for (const std::size_t threads : {1U, 5U}) {
    IndexReading by = reading(Compression::gz);
    by.threads = threads;
    auto open = sample::documents(packages());
    auto reversed = packages();
    std::reverse(reversed.begin(), reversed.end());
    open[MetadataKind::filelists] = sample::documents(reversed)[MetadataKind::filelists];
    const auto index = sample::read(sample::stored(open), by);
    ASSERT_TRUE(index) << index.error().text();
    EXPECT_TRUE(index->proven);
    EXPECT_EQ(sample::decode(splice(*index, {}, {})->publication.immutable[1].body),
              sample::documents(packages())[MetadataKind::filelists]);
  }
}

TEST(IndexReader, NamesTheFileThatCannotBeEdited) {
  auto open = sample::documents(packages());
  open[MetadataKind::other].insert(open[MetadataKind::other].find("<package "), "<extra/>");
  const auto index = sample::read(sample::stored(open));
  ASSERT_TRUE(index.failed_with(ErrorKind::unsupported));
  EXPECT_THAT(index.error().message, HasSubstr("-other.xml.gz"));
  EXPECT_THAT(index.error().message, HasSubstr("--rebuild"));
}

}  // namespace
}  // namespace repoupdate
