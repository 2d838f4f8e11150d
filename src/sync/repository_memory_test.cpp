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

TEST(RepositoryMemory, KeepsNothingThatExceedsALimit) {
  RepositoryMemory no_disk({.disk = 50, .memory = 1 << 20}), no_memory({.disk = 1 << 20, .memory = 10});
  for (RepositoryMemory* memory : {&no_disk, &no_memory}) {
    memory->keep("a", index_of_size(100));
    EXPECT_FALSE(memory->find("a"));
  }
}

}  // namespace
}  // namespace repoupdate
