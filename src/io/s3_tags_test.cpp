// SPDX-License-Identifier: Apache-2.0
#include "io/s3_tags.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(S3Tags, AreAQueryStringInTheHeader) {
  EXPECT_EQ(*s3_tagging(""), "");
  EXPECT_EQ(*s3_tagging("team=infra"), "team=infra");
  EXPECT_EQ(*s3_tagging("cost center=a/b=c,ü=1+1,empty="), "cost%20center=a%2Fb%3Dc&%C3%BC=1%2B1&empty=");
}

TEST(S3Tags, RefusesWhatS3Would) {
  const auto refused = [](const std::string& tags) { return s3_tagging(tags).failed_with(ErrorKind::invalid); };
  EXPECT_TRUE(refused("team"));
  EXPECT_TRUE(refused("=infra"));
  EXPECT_TRUE(refused("a=1,,b=2"));
  EXPECT_TRUE(refused("a=1,a=2"));
  EXPECT_TRUE(refused("aws:x=1"));
  EXPECT_TRUE(refused("a=x&y"));
  EXPECT_TRUE(refused("a=line\nbreak"));
  EXPECT_FALSE(refused(std::string(128, 'k') + "=" + std::string(256, 'v')));
  EXPECT_TRUE(refused(std::string(129, 'k') + "=v"));
  EXPECT_TRUE(refused("k=" + std::string(257, 'v')));
}

TEST(S3Tags, CountsCharactersNotBytes) {
  std::string value;
  for (std::size_t i = 0; i < k_max_tag_value; ++i) value += "ü";
  EXPECT_TRUE(s3_tagging("k=" + value).ok());
}

TEST(S3Tags, AreAtMostTen) {
  std::string tags = "k0=v";
  for (int i = 1; i < 10; ++i) tags += ",k" + std::to_string(i) + "=v";
  EXPECT_TRUE(s3_tagging(tags).ok());
  EXPECT_TRUE(s3_tagging(tags + ",one=more").failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
