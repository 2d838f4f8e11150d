// SPDX-License-Identifier: Apache-2.0
#include "io/aws_endpoint.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(AwsEndpoint, IsTheRegionsOwn) {
  EXPECT_EQ(aws_endpoint("s3", "eu-west-1", "")->host, "s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(aws_endpoint("sqs", "cn-north-1", "")->host, "sqs.cn-north-1.amazonaws.com.cn");
  EXPECT_FALSE(aws_endpoint("s3", "eu-west-1", "")->custom);
}

TEST(AwsEndpoint, IsAnotherStoresWhereOneIsGiven) {
  const auto endpoint = aws_endpoint("s3", "", "http://127.0.0.1:7480/store/s3/");
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(endpoint->scheme, "http");
  EXPECT_EQ(endpoint->host, "127.0.0.1:7480");
  EXPECT_EQ(endpoint->path, "/store/s3");
  EXPECT_TRUE(endpoint->custom);
}

TEST(AwsEndpoint, NeedsARegionOrAUrl) {
  EXPECT_TRUE(aws_endpoint("s3", "", "").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "evil.example/", "").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "eu-west-1", "store.example").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "eu-west-1", "https://store.example/?x=1").failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
