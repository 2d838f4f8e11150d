// SPDX-License-Identifier: Apache-2.0
#include "model/stored_bytes.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "testkit/faulty_bytes.hpp"

namespace repoupdate {
namespace {

TEST(StoredBytes, MemoryIsReadAtAnyOffset) {
  const MemoryBytes bytes("0123456789");
  EXPECT_EQ(bytes.size(), 10U);
  EXPECT_TRUE(bytes.is_local());
  EXPECT_EQ(*read_piece(bytes, 0, 10), "0123456789");
  EXPECT_EQ(*read_piece(bytes, 7, 3), "789");
  EXPECT_EQ(*read_piece(bytes, 10, 0), "");
}

TEST(StoredBytes, WhatReachesPastTheEndIsInvalid) {
  constexpr std::uint64_t k_huge = ~std::uint64_t{0};
  ComposedBytes composed;
  composed.append("01234");
  composed.append("56789");
  const MemoryBytes memory("0123456789");
  for (const StoredBytes* bytes :
       {static_cast<const StoredBytes*>(&memory), static_cast<const StoredBytes*>(&composed)}) {
    std::string into(3, '.');
    EXPECT_TRUE(bytes->read(8, into).failed_with(ErrorKind::invalid));
    EXPECT_TRUE(bytes->read(11, {}).failed_with(ErrorKind::invalid));
    EXPECT_TRUE(bytes->read(k_huge, into).failed_with(ErrorKind::invalid)) << "the sum overflows";
    EXPECT_EQ(into, "...");
    EXPECT_TRUE(read_piece(*bytes, 9, 2).failed_with(ErrorKind::invalid));
    EXPECT_TRUE(read_piece(*bytes, 1, k_huge).failed_with(ErrorKind::invalid)) << "and nothing is allocated";
  }
  EXPECT_TRUE(ComposedBytes().read(0, {}).ok());
}

// Every offset and size, so that reads begin and end before, at and behind every seam.
TEST(StoredBytes, ComposedReadsLikeOneString) {
  const SharedBytes letters = in_memory("abcdefghij");
  ComposedBytes composed;
  std::string expected;
  const auto append = [&](std::uint64_t offset, std::uint64_t size) {
    composed.append(letters, offset, size);
    expected += std::string("abcdefghij").substr(offset, size);
  };
  append(2, 3);
  composed.append("");
  composed.append("X");
  expected += "X";
  append(0, 1);
  append(4, 0);
  append(1, 2);  // goes on where the last one of that source ended
  append(0, 10);
  composed.append("YZ");
  expected += "YZ";

  ASSERT_EQ(composed.size(), expected.size());
  for (std::size_t offset = 0; offset <= expected.size(); ++offset)
    for (std::size_t size = 0; size <= expected.size() - offset; ++size)
      ASSERT_EQ(*read_piece(composed, offset, size), expected.substr(offset, size)) << offset << '+' << size;
}

TEST(StoredBytes, NeighboursInTheSourceAreReadTogether) {
  const auto source = std::make_shared<FaultyBytes>("abcdefghij");
  ComposedBytes composed;
  for (std::uint64_t i = 0; i < 8; i += 2) composed.append(source, i, 2);
  composed.append(source, 9, 1);
  EXPECT_EQ(*read_all(composed, 100), "abcdefghj");
  EXPECT_EQ(source->reads(), 2);
}

TEST(StoredBytes, ComposedTakesInAnother) {
  const auto source = std::make_shared<FaultyBytes>("abcdef");
  ComposedBytes composed;
  composed.append(source, 0, 2);
  ComposedBytes other;
  other.append(source, 2, 3);
  other.append("X");
  composed.append(std::move(other));
  composed.append(ComposedBytes());
  EXPECT_EQ(*read_all(composed, 6), "abcdeX");
  EXPECT_EQ(source->reads(), 1) << "what lies side by side in the source is joined here too";
}

TEST(StoredBytes, ComposedKeepsItsSourcesAlive) {
  ComposedBytes composed;
  {
    auto source = in_memory("abc");
    composed.append(std::move(source), 1, 2);
  }
  EXPECT_EQ(*read_all(composed, 2), "bc");
}

TEST(StoredBytes, ComposedIsLocalWhenAllOfItIs) {
  const auto remote = std::make_shared<FaultyBytes>("remote");
  remote->local = false;
  remote->piece = k_remote_piece;
  ComposedBytes composed;
  EXPECT_TRUE(composed.is_local());
  composed.append("here");
  composed.append(remote, 0, 0);
  EXPECT_TRUE(composed.is_local()) << "nothing of the remote bytes is in it";
  EXPECT_EQ(composed.preferred_piece(), k_local_piece);
  composed.append(remote, 0, 1);
  EXPECT_FALSE(composed.is_local());
  EXPECT_EQ(composed.preferred_piece(), k_remote_piece);
}

TEST(StoredBytes, FailureOfASourceIsPassedOn) {
  const auto source = std::make_shared<FaultyBytes>("abcdef");
  source->broken_from = 3;
  ComposedBytes composed;
  composed.append("0");
  composed.append(source, 0, 6);
  EXPECT_EQ(*read_piece(composed, 0, 4), "0abc");
  EXPECT_TRUE(read_piece(composed, 0, 5).failed_with(ErrorKind::precondition_failed));
}

TEST(StoredBytes, AllOfItOnlyWithinTheLimit) {
  const MemoryBytes bytes("0123456789");
  EXPECT_EQ(*read_all(bytes, 10), "0123456789");
  EXPECT_TRUE(read_all(bytes, 9).failed_with(ErrorKind::invalid));
}

TEST(StoredBytes, ReadThroughGoesByPiecesOfThePreferredSize) {
  FaultyBytes bytes("0123456789");
  bytes.piece = 4;
  std::vector<std::string> pieces;
  const auto read = read_through(bytes, [&](std::string_view piece) {
    pieces.emplace_back(piece);
    return Result<void>{};
  });
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(pieces, (std::vector<std::string>{"0123", "4567", "89"}));
}

TEST(StoredBytes, ReadThroughEndsWithTheFirstFailure) {
  FaultyBytes bytes("0123456789");
  bytes.piece = 4;
  bytes.broken_from = 8;
  std::string taken;
  const auto take = [&](std::string_view piece) {
    taken += piece;
    return taken.size() < 8 ? Result<void>{} : Result<void>(Error{ErrorKind::no_space, "full", {}});
  };
  EXPECT_TRUE(read_through(bytes, take).failed_with(ErrorKind::no_space));
  EXPECT_EQ(taken, "01234567");
  const auto take_all = [](std::string_view) { return Result<void>{}; };
  EXPECT_TRUE(read_through(bytes, take_all).failed_with(ErrorKind::precondition_failed));
}

}  // namespace
}  // namespace repoupdate
