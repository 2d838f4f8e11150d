// SPDX-License-Identifier: Apache-2.0
#include "io/s3_caller.hpp"

#include <gtest/gtest.h>

#include "io/s3_store.hpp"
#include "io/sample_sender.hpp"
#include "testkit/loopback_server.hpp"

namespace repoupdate {
namespace {

constexpr const char* k_wrong_region =
    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region 'us-east-1' is wrong; expecting "
    "'eu-north-1'</Message><Region>eu-north-1</Region></Error>";

bool is_signed_for(const WireRequest& request, const std::string& region) {
  return request.header("authorization").find('/' + region + "/s3/aws4_request") != std::string::npos;
}

// A bucket on a scripted server that wants to be asked in its own region.
class BucketElsewhere : public SampleSender {
protected:
  void serve(LoopbackServer::Responder responder, const std::string& token = {}) {
    m_server = std::make_unique<LoopbackServer>(std::move(responder));
    m_environment["AWS_SESSION_TOKEN"] = token;
    S3StoreOptions options;
    options.bucket = "packages";
    options.endpoint_url = m_server->url();
    auto opened = S3Store::open(std::move(options), m_sender);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    m_store = *std::move(opened);
  }
  static WireAnswer object() {
    return answer(200, {{"ETag", "\"e\""}, {"Last-Modified", "Sat, 31 Jan 2026 23:59:59 GMT"}}, "bytes");
  }

  std::unique_ptr<LoopbackServer> m_server;
  std::unique_ptr<S3Store> m_store;
};

TEST_F(BucketElsewhere, IsFoundFromTheRefusalOnceAndRemembered) {
  serve([](const WireRequest& request, int) {
    return is_signed_for(request, "eu-north-1") ? object() : answer(400, {}, k_wrong_region);
  });
  const auto first = m_store->get("k", {}, 100);
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_EQ(first->bytes, "bytes");
  EXPECT_TRUE(m_store->get("k", {}, 100).ok());
  EXPECT_EQ(m_server->requests().size(), 3U);
}

TEST_F(BucketElsewhere, IsFoundFromTheHeaderOfARedirect) {
  for (const int status : {301, 307, 400}) {
    serve([status](const WireRequest& request, int) {
      if (is_signed_for(request, "eu-north-1")) return object();
      return answer(status, {{"x-amz-bucket-region", "eu-north-1"}, {"Content-Length", "0"}});
    });
    EXPECT_TRUE(m_store->get("k", {}, 100).ok()) << status;
    EXPECT_EQ(m_server->requests().size(), 2U);
  }
}

// An answer to HEAD has no body, and a 400 to it might also mean that the session is over.
TEST_F(BucketElsewhere, IsFoundFromTheAnswerToAHeadOfASession) {
  serve(
      [](const WireRequest& request, int) {
        if (is_signed_for(request, "eu-north-1"))
          return answer(
              200, {{"ETag", "\"e\""}, {"Last-Modified", "Sat, 31 Jan 2026 23:59:59 GMT"}, {"Content-Length", "5"}});
        return answer(400, {{"x-amz-bucket-region", "eu-north-1"}, {"Content-Length", "0"}});
      },
      "SESSION");
  EXPECT_TRUE(m_store->head("k").ok());
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(BucketElsewhere, GetsTheBytesOfAPutAgain) {
  serve([](const WireRequest& request, int) {
    if (!is_signed_for(request, "eu-north-1")) return answer(301, {{"x-amz-bucket-region", "eu-north-1"}});
    return answer(200, {{"ETag", "\"e\""}, {"Date", "Sat, 31 Jan 2026 23:59:59 GMT"}});
  });
  ASSERT_TRUE(m_store->put("k", "the bytes", {}).ok());
  EXPECT_EQ(m_server->requests().at(1).body, "the bytes");
}

TEST_F(BucketElsewhere, IsNotFollowedForEverNorToAnythingThatIsNoRegion) {
  int number = 0;
  serve([&number](const WireRequest&, int) {
    return answer(301, {{"x-amz-bucket-region", "eu-north-" + std::to_string(++number)}});
  });
  const auto moving = m_store->get("k", {}, 100);
  ASSERT_TRUE(moving.failed_with(ErrorKind::unavailable));
  EXPECT_NE(moving.error().message.find("set that region"), std::string::npos) << moving.error().message;
  EXPECT_EQ(m_server->requests().size(), 2U);

  for (const std::string& region : {std::string("evil.example/"), std::string("Region One"), std::string(65, 'a')}) {
    serve([&](const WireRequest&, int) { return answer(301, {{"x-amz-bucket-region", region}}); });
    EXPECT_TRUE(m_store->get("k", {}, 100).failed_with(ErrorKind::unavailable)) << region;
    EXPECT_EQ(m_server->requests().size(), 1U) << region;
  }
}

TEST_F(BucketElsewhere, MayBeInARegionThatAwsWouldNotNameSo) {
  for (const std::string& region : {std::string("RegionOne"), std::string("default_2")}) {
    serve([&](const WireRequest& request, int) {
      return is_signed_for(request, region) ? object() : answer(400, {{"x-amz-bucket-region", region}});
    });
    EXPECT_TRUE(m_store->get("k", {}, 100).ok()) << region;
  }
}

}  // namespace
}  // namespace repoupdate
