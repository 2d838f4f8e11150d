// SPDX-License-Identifier: Apache-2.0
#include "model/pinned_bytes.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "testkit/memory_object_store.hpp"

namespace repoupdate {
namespace {

using Requests = std::vector<std::string>;

class PinnedBytesTest : public testing::Test {
protected:
  SharedBytes open(std::string bytes) {
    store.place("k", std::move(bytes), SystemTime{});
    auto opened = store.open("k");
    EXPECT_TRUE(opened.ok());
    return *opened;
  }

  MemoryObjectStore store;
};

TEST_F(PinnedBytesTest, EachReadIsOneRange) {
  const SharedBytes bytes = open("0123456789");
  EXPECT_FALSE(bytes->is_local());
  EXPECT_EQ(bytes->size(), 10U);
  EXPECT_EQ(*read_piece(*bytes, 2, 3), "234");
  EXPECT_EQ(*read_piece(*bytes, 0, 10), "0123456789");
  EXPECT_EQ(store.requests(), (Requests{"HEAD k", "GET k 2+3", "GET k 0+10"}));
}

TEST_F(PinnedBytesTest, WhatIsNotThereIsNotAskedFor) {
  const SharedBytes bytes = open("0123456789");
  EXPECT_TRUE(read_piece(*bytes, 10, 0).ok());
  EXPECT_TRUE(read_piece(*bytes, 9, 2).failed_with(ErrorKind::invalid));
  EXPECT_EQ(store.requests(), Requests{"HEAD k"});
}

TEST_F(PinnedBytesTest, AWholeObjectIsAFewLargeRequests) {
  std::string large(2 * k_remote_piece + 5, 'a');
  large[k_remote_piece] = 'b';
  large.back() = 'c';
  const SharedBytes bytes = open(large);
  const Requests expected{"HEAD k", "GET k 0+8388608", "GET k 8388608+8388608", "GET k 16777216+5"};
  EXPECT_TRUE(*read_all(*bytes, large.size()) == large);
  EXPECT_EQ(store.requests(), expected);
  store.forget_requests();
  std::string through;
  ASSERT_TRUE(read_through(*bytes, [&](std::string_view piece) {
    through += piece;
    return Result<void>{};
  }));
  EXPECT_TRUE(through == large);
  EXPECT_EQ(store.requests(), Requests(expected.begin() + 1, expected.end()));
}

TEST_F(PinnedBytesTest, AnotherVersionIsNeverMixedIn) {
  const SharedBytes bytes = open("0123456789");
  store.place("k", "abcdefghij", SystemTime{});
  EXPECT_TRUE(read_piece(*bytes, 0, 3).failed_with(ErrorKind::precondition_failed));
  store.drop("k");
  EXPECT_TRUE(read_piece(*bytes, 0, 3).failed_with(ErrorKind::precondition_failed));
}

// I11: what else goes wrong is not taken for a change.
TEST_F(PinnedBytesTest, FailuresOfTheStoreArePassedOn) {
  const SharedBytes bytes = open("0123456789");
  for (const ErrorKind kind : {ErrorKind::denied, ErrorKind::no_store, ErrorKind::throttled}) {
    store.before = [kind](const std::string&) { return Error{kind, "no", {}}; };
    EXPECT_TRUE(read_piece(*bytes, 0, 3).failed_with(kind));
  }
}

}  // namespace
}  // namespace repoupdate
