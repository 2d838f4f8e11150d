// SPDX-License-Identifier: Apache-2.0
#include "model/scratch.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "testkit/faulty_bytes.hpp"
#include "testkit/memory_scratch.hpp"

namespace repoupdate {
namespace {

std::shared_ptr<FaultyBytes> remote(std::string bytes) {
  auto made = std::make_shared<FaultyBytes>(std::move(bytes));
  made->local = false;
  made->piece = 4;
  return made;
}

TEST(Scratch, RemoteBytesBecomeALocalCopy) {
  MemoryScratch scratch;
  const auto bytes = remote("0123456789");
  const auto copy = make_local(bytes, scratch);
  ASSERT_TRUE(copy.ok());
  EXPECT_TRUE((*copy)->is_local());
  EXPECT_EQ(*read_all(**copy, 10), "0123456789");
  EXPECT_EQ(bytes->largest_read(), 4U) << "a piece at a time";
}

TEST(Scratch, LocalBytesAreNotCopied) {
  MemoryScratch scratch;
  const SharedBytes bytes = in_memory("0123456789");
  EXPECT_EQ(*make_local(bytes, scratch), bytes);
  EXPECT_EQ(scratch.created(), 0);
}

TEST(Scratch, HalfACopyIsNoCopy) {
  MemoryScratch scratch;
  const auto changing = remote("0123456789");
  changing->broken_from = 6;
  EXPECT_TRUE(make_local(changing, scratch).failed_with(ErrorKind::precondition_failed));
  MemoryScratch small(7);
  EXPECT_TRUE(make_local(remote("0123456789"), small).failed_with(ErrorKind::no_space));
}

}  // namespace
}  // namespace repoupdate
