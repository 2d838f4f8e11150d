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

// What botocore 1.43 resolves for the same regions and variants.
TEST(AwsEndpoint, IsTheOneOfThePartitionAndTheVariant) {
  struct Case {
    const char* service;
    const char* region;
    bool dual_stack;
    bool fips;
    const char* host;
  };
  for (const Case& c : {
           Case{"s3", "eu-west-1", true, false, "s3.dualstack.eu-west-1.amazonaws.com"},
           Case{"s3", "us-east-1", false, true, "s3-fips.us-east-1.amazonaws.com"},
           Case{"s3", "us-east-1", true, true, "s3-fips.dualstack.us-east-1.amazonaws.com"},
           Case{"sqs", "us-east-1", true, false, "sqs.us-east-1.api.aws"},
           Case{"sqs", "us-east-1", false, true, "sqs-fips.us-east-1.amazonaws.com"},
           Case{"sts", "us-east-1", true, true, "sts-fips.us-east-1.api.aws"},
           Case{"portal.sso", "eu-west-1", false, false, "portal.sso.eu-west-1.amazonaws.com"},
           Case{"portal.sso", "eu-west-1", true, true, "portal.sso-fips.eu-west-1.api.aws"},
           Case{"s3", "cn-north-1", true, false, "s3.dualstack.cn-north-1.amazonaws.com.cn"},
           Case{"sqs", "cn-north-1", true, true, "sqs-fips.cn-north-1.api.amazonwebservices.com.cn"},
           Case{"s3", "us-gov-west-1", false, true, "s3-fips.us-gov-west-1.amazonaws.com"},
           Case{"sqs", "us-gov-west-1", false, true, "sqs.us-gov-west-1.amazonaws.com"},
           Case{"sts", "us-gov-west-1", false, true, "sts.us-gov-west-1.amazonaws.com"},
           Case{"sqs", "us-gov-west-1", true, true, "sqs-fips.us-gov-west-1.api.aws"},
           Case{"s3", "us-iso-east-1", false, false, "s3.us-iso-east-1.c2s.ic.gov"},
           Case{"sqs", "us-isob-east-1", true, false, "sqs.us-isob-east-1.api.aws.scloud"},
           Case{"sts", "eusc-de-east-1", false, true, "sts-fips.eusc-de-east-1.amazonaws.eu"},
       }) {
    const auto endpoint = aws_endpoint(c.service, c.region, "", {c.dual_stack, c.fips});
    ASSERT_TRUE(endpoint.ok()) << endpoint.error().text();
    EXPECT_EQ(endpoint->host, c.host);
    EXPECT_EQ(endpoint->scheme, "https");
  }
}

TEST(AwsEndpoint, NobodyGetsAnotherOneThanTheVariantThatIsWanted) {
  EXPECT_TRUE(aws_endpoint("s3", "cn-north-1", "", {.fips = true}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "", "http://127.0.0.1:1", {.fips = true}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("sqs", "", "http://127.0.0.1:1", {.dual_stack = true}).failed_with(ErrorKind::invalid));
}

TEST(AwsEndpoint, KeepsAPortThatIsNotTheSchemesOwn) {
  EXPECT_EQ(parse_endpoint_url("https://store.example:443")->host, "store.example");
  EXPECT_EQ(parse_endpoint_url("http://store.example:443")->host, "store.example:443");
  EXPECT_EQ(parse_endpoint_url("https://store.example:80")->host, "store.example:80");
  EXPECT_EQ(parse_endpoint_url("http://[::1]:9000/")->host, "[::1]:9000");
}

TEST(AwsEndpoint, IsAnotherStoresWhereOneIsGiven) {
  const auto endpoint = aws_endpoint("s3", "", "http://127.0.0.1:7480/store/s3/");
  ASSERT_TRUE(endpoint.ok());
  EXPECT_EQ(endpoint->scheme, "http");
  EXPECT_EQ(endpoint->host, "127.0.0.1:7480");
  EXPECT_EQ(endpoint->path, "/store/s3");
  EXPECT_TRUE(endpoint->custom);
}

TEST(AwsEndpoint, KeysThatSomebodyWroteIntoTheUrlAreNotRepeated) {
  for (const char* url : {"http://KEY:SECRET@store.example", "http://KEY:SEC/RET@store.example/x",
                          "KEY:SECRET@store.example", "KEY:SECRET@store.example/http://"}) {
    for (const AwsEndpointVariant variant : {AwsEndpointVariant{}, AwsEndpointVariant{.fips = true}}) {
      const auto endpoint = aws_endpoint("s3", "", url, variant);
      ASSERT_TRUE(endpoint.failed_with(ErrorKind::invalid)) << url;
      for (const char* secret : {"KEY", "SEC", "RET"})
        EXPECT_EQ(endpoint.error().message.find(secret), std::string::npos) << endpoint.error().message;
      EXPECT_NE(endpoint.error().message.find("***@store.example"), std::string::npos) << endpoint.error().message;
    }
  }
}

TEST(AwsEndpoint, NeedsARegionOrAUrl) {
  EXPECT_TRUE(aws_endpoint("s3", "", "").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "evil.example/", "").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "eu-west-1", "store.example").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(aws_endpoint("s3", "eu-west-1", "https://store.example/?x=1").failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
