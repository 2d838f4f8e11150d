// SPDX-License-Identifier: Apache-2.0
#include "model/repository_location.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(RepositoryLocation, ReadsBucketAndPrefix) {
  const auto location = parse_repository_location("s3://pkgs/el9/x86_64/");
  ASSERT_TRUE(location.ok());
  EXPECT_EQ(location->bucket, "pkgs");
  EXPECT_EQ(location->prefix, "el9/x86_64/");
  EXPECT_EQ(to_string(*location), "s3://pkgs/el9/x86_64");
  EXPECT_EQ(parse_repository_location("s3://pkgs")->prefix, "");
}

TEST(RepositoryLocation, ReadsDirectories) {
  EXPECT_EQ(parse_repository_location("file:///srv/repo/")->bucket, "/srv/repo");
  EXPECT_EQ(parse_repository_location("/srv/./repo")->bucket, "/srv/repo");
  EXPECT_TRUE(parse_repository_location("repo")->bucket.starts_with('/'));
}

TEST(RepositoryLocation, RefusesWhatItCannotServe) {
  for (const char* text : {"", "s3://", "s3:///x", "s3://b?/x", "s3://bucket/a//b", "s3://bucket/../b", "file://repo",
                           "http://host/repo", "s3:/bucket/x", "file:/repo"})
    EXPECT_TRUE(parse_repository_location(text).failed_with(ErrorKind::invalid)) << text;
}

}  // namespace
}  // namespace repoupdate
