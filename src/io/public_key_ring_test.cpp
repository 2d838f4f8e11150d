// SPDX-License-Identifier: Apache-2.0
#include "io/public_key_ring.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(Fingerprints, AreReadAsPeopleWriteThem) {
  const std::string one(40, 'A'), two(64, 'B');
  EXPECT_EQ(*parse_fingerprints(""), std::vector<std::string>{});
  EXPECT_EQ(*parse_fingerprints(std::string(40, 'a')), std::vector{one});
  EXPECT_EQ(*parse_fingerprints("0x" + one + ", " + two), (std::vector{one, two}));
  EXPECT_EQ(*parse_fingerprints("AAAA AAAA AAAA AAAA AAAA  AAAA AAAA AAAA AAAA AAAA"), std::vector{one});
}

TEST(Fingerprints, IdsAndWordsAreRefused) {
  for (const char* text : {"DEADBEEF", "0123456789ABCDEF", "me@example.com", ",", "x"})
    EXPECT_TRUE(parse_fingerprints(text).failed_with(ErrorKind::invalid)) << text;
}

}  // namespace
}  // namespace repoupdate
