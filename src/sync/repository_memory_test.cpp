// SPDX-License-Identifier: Apache-2.0
#include "sync/repository_memory.hpp"

#include <gtest/gtest.h>

#include "repodata/empty_repository.hpp"

namespace repoupdate {
namespace {

RepoIndex index_of_size(std::size_t bytes) {
  RepoIndex index = empty_repository();
  for (SegmentedFile& file : index.files.values) file.stored = in_memory("");
  index.files[MetadataKind::primary].stored = in_memory(std::string(bytes, 'x'));
  return index;
}

TEST(RepositoryMemory, KnowsARepositoryByItsRepomdOnly) {
  RepositoryMemory memory({});
  EXPECT_FALSE(memory.find("a", "1"));
  memory.keep("a", "1", index_of_size(1));
  EXPECT_TRUE(memory.find("a", "1"));
  EXPECT_FALSE(memory.find("a", "2"));
  EXPECT_FALSE(memory.find("b", "1"));
  memory.keep("a", "2", index_of_size(1));
  EXPECT_TRUE(memory.find("a", "2"));
  EXPECT_FALSE(memory.find("a", "1"));
}

TEST(RepositoryMemory, ForgetsWhatWasUsedLeastRecently) {
  RepositoryMemory memory({.disk = 250, .memory = 1 << 20});
  memory.keep("a", "1", index_of_size(100));
  memory.keep("b", "1", index_of_size(100));
  EXPECT_TRUE(memory.find("a", "1"));
  memory.keep("c", "1", index_of_size(100));
  EXPECT_FALSE(memory.find("b", "1"));
  EXPECT_TRUE(memory.find("a", "1"));
  EXPECT_TRUE(memory.find("c", "1"));
}

TEST(RepositoryMemory, KeepsNothingThatExceedsALimit) {
  RepositoryMemory no_disk({.disk = 50, .memory = 1 << 20}), no_memory({.disk = 1 << 20, .memory = 10});
  for (RepositoryMemory* memory : {&no_disk, &no_memory}) {
    memory->keep("a", "1", index_of_size(100));
    EXPECT_FALSE(memory->find("a", "1"));
  }
}

}  // namespace
}  // namespace repoupdate
