// SPDX-License-Identifier: Apache-2.0
#include "sync/repository_memory.hpp"

#include <gtest/gtest.h>

#include "repodata/empty_repository.hpp"

namespace repoupdate {
namespace {

RememberedIndex index_of_size(std::size_t bytes, const std::string& sha256 = "1") {
  RememberedIndex remembered{{"\"etag\""}, sha256, empty_repository()};
  for (SegmentedFile& file : remembered.index.files.values) file.stored = in_memory("");
  remembered.index.files[MetadataKind::primary].stored = in_memory(std::string(bytes, 'x'));
  return remembered;
}

TEST(RepositoryMemory, KnowsWhatWasKeptLast) {
  RepositoryMemory memory({});
  EXPECT_FALSE(memory.find("a"));
  memory.keep("a", index_of_size(1, "1"));
  EXPECT_EQ(memory.find("a")->repomd_sha256, "1");
  EXPECT_FALSE(memory.find("b"));
  memory.keep("a", index_of_size(1, "2"));
  EXPECT_EQ(memory.find("a")->repomd_sha256, "2");
}

TEST(RepositoryMemory, ForgetsWhatWasUsedLeastRecently) {
  RepositoryMemory memory({.disk = 250, .memory = 1 << 20});
  memory.keep("a", index_of_size(100));
  memory.keep("b", index_of_size(100));
  EXPECT_TRUE(memory.find("a"));
  memory.keep("c", index_of_size(100));
  EXPECT_FALSE(memory.find("b"));
  EXPECT_TRUE(memory.find("a"));
  EXPECT_TRUE(memory.find("c"));
}

TEST(RepositoryMemory, RemembersNoMoreRepositoriesThanItsLimit) {
  RepositoryMemory memory({.repositories = 2});
  for (const char* name : {"a", "b", "a", "c"}) memory.keep(name, index_of_size(1));
  EXPECT_FALSE(memory.find("b"));
  EXPECT_TRUE(memory.find("a"));
  EXPECT_TRUE(memory.find("c"));
}

RememberedIndex index_with_frames(std::size_t bytes) {
  RememberedIndex remembered = index_of_size(1);
  remembered.index.files[MetadataKind::other].kept = {
      std::make_shared<const KeptFrame>(KeptFrame{"", std::string(bytes, 'x')})};
  return remembered;
}

bool has_frames(RepositoryMemory& memory, std::string_view repository) {
  const auto known = memory.find(repository);
  return known && !known->index.files[MetadataKind::other].kept.empty();
}

TEST(RepositoryMemory, GivesUpFramesBeforeTables) {
  constexpr std::size_t k_frames = 170'000, k_limit = 700'000;
  RepositoryMemory memory({.memory = k_limit});
  for (const char* name : {"a", "b", "c", "d"}) memory.keep(name, index_with_frames(k_frames));
  EXPECT_TRUE(has_frames(memory, "a"));
  memory.keep("e", index_with_frames(k_frames));
  for (const char* name : {"a", "c", "d", "e"}) EXPECT_TRUE(has_frames(memory, name)) << name;
  EXPECT_FALSE(has_frames(memory, "b")) << "used least recently";
  EXPECT_TRUE(memory.find("b"));
  memory.keep("f", index_with_frames(k_limit / 3));
  EXPECT_FALSE(has_frames(memory, "f")) << "more than one may have";
  EXPECT_TRUE(memory.find("f"));
  EXPECT_TRUE(has_frames(memory, "a"));
}

TEST(RepositoryMemory, KeepsNothingThatExceedsALimit) {
  RepositoryMemory no_disk({.disk = 50, .memory = 1 << 20}), no_memory({.disk = 1 << 20, .memory = 10});
  for (RepositoryMemory* memory : {&no_disk, &no_memory}) {
    memory->keep("a", index_of_size(100));
    EXPECT_FALSE(memory->find("a"));
  }
  no_disk.keep("b", index_of_size(20));
  no_disk.keep("a", index_of_size(100));
  EXPECT_TRUE(no_disk.find("b")) << "it does not drive out others either";
}

}  // namespace
}  // namespace repoupdate
