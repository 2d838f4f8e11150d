// SPDX-License-Identifier: Apache-2.0
#include "sync/spill.hpp"

#include <gtest/gtest.h>

#include <array>

#include "testkit/memory_scratch.hpp"

namespace repoupdate {
namespace {

Fragments of_size(std::size_t size) {
  PerKind<std::string> texts;
  texts[MetadataKind::filelists] = std::string(size, 'f');
  return texts;
}

TEST(Spill, KeepsSomeInMemoryAndPutsTheRestAside) {
  MemoryScratch scratch;
  Spill spill(scratch, 100);
  std::array<Fragments, 4> fragments{of_size(60), of_size(50), of_size(40), of_size(1)};
  std::uint64_t in_memory = 0;
  for (auto& each : fragments) {
    spill.take(each);
    in_memory += each.size_in_memory();
  }
  EXPECT_EQ(in_memory, 100U) << "the first and the third";
  EXPECT_EQ(scratch.created(), 1);
  std::string room;
  EXPECT_EQ(*fragments[1].text(MetadataKind::filelists, room), std::string(50, 'f'));
}

TEST(Spill, MakesNoFileForWhatFits) {
  MemoryScratch scratch;
  Spill spill(scratch, 100);
  Fragments fragments = of_size(100);
  spill.take(fragments);
  EXPECT_EQ(scratch.created(), 0);
}

TEST(Spill, KeepsAllInMemoryWhereTheScratchIsFull) {
  MemoryScratch scratch(30);
  Spill spill(scratch, 0);
  Fragments one = of_size(50), other = of_size(20);
  spill.take(one);
  spill.take(other);
  EXPECT_EQ(one.size_in_memory(), 50U);
  EXPECT_EQ(other.size_in_memory(), 0U);
}

}  // namespace
}  // namespace repoupdate
