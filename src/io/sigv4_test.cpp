// SPDX-License-Identifier: Apache-2.0
#include "io/sigv4.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

std::string_view authorization(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers)
    if (name == "authorization") return value;
  return {};
}

std::string signature(const HttpRequest& request) {
  const std::string_view text = authorization(request);
  return std::string(text.substr(text.rfind('=') + 1));
}

// The examples of "Signature Calculations for the Authorization Header", Amazon S3 API Reference.
class PublishedExample : public ::testing::Test {
protected:
  std::string sign_it(HttpRequest request, std::string_view body = {}) {
    request.host = "examplebucket.s3.amazonaws.com";
    const Credentials credentials{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", {}, {}};
    sign(request, sha256_hex(body), credentials, {"us-east-1", "s3"}, SystemTime(std::chrono::seconds(1'369'353'600)));
    return signature(request);
  }
};

TEST_F(PublishedExample, GetObject) {
  HttpRequest request;
  request.path = "/test.txt";
  request.headers = {{"range", "bytes=0-9"}};
  EXPECT_EQ(sign_it(request), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_F(PublishedExample, PutObject) {
  HttpRequest request;
  request.method = "PUT";
  request.path = "/test$file.text";
  request.headers = {{"x-amz-storage-class", "REDUCED_REDUNDANCY"}, {"date", "Fri, 24 May 2013 00:00:00 GMT"}};
  EXPECT_EQ(sign_it(request, "Welcome to Amazon S3."),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST_F(PublishedExample, QueryParameterWithoutAValue) {
  HttpRequest request;
  request.query = {{"lifecycle", ""}};
  EXPECT_EQ(sign_it(request), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

TEST_F(PublishedExample, UnsortedQuery) {
  HttpRequest request;
  request.query = {{"prefix", "J"}, {"max-keys", "2"}};
  EXPECT_EQ(sign_it(request), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

// The signatures below were computed with botocore 1.43 for the same requests.
class AgreesWithBotocore : public ::testing::Test {
protected:
  std::string sign_it(HttpRequest& request, const std::string& service, std::string_view body = {},
                      const std::string& token = {}) {
    const Credentials credentials{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token, {}};
    sign(request, sha256_hex(body), credentials, {"eu-west-1", service},
         SystemTime(std::chrono::seconds(1'769'903'999)));  // 2026-01-31T23:59:59Z
    return signature(request);
  }
  static HttpRequest get(const std::string& key) {
    HttpRequest request;
    request.host = "bucket.s3.eu-west-1.amazonaws.com";
    request.path = '/' + key;
    return request;
  }
  const std::string m_odd_key = "a+b~c^d=e&f%g h;i,j@k$l'm(n)o*p!q:r//s/./t/../u?v#w[x]\xC3\xA9\xE6\x97\xA5%20";
};

TEST_F(AgreesWithBotocore, OnAPackageName) {
  HttpRequest request = get("pool/gtk+-c++_lib-1.0~rc1^git.rpm");
  EXPECT_EQ(sign_it(request, "s3"), "368b27946c2d225cb65c011781c019def53e034c9db3a40a1246008451637f65");
}

TEST_F(AgreesWithBotocore, OnEveryOddCharacterOfAKey) {
  HttpRequest request = get(m_odd_key);
  EXPECT_EQ(sign_it(request, "s3"), "bed90023b27e32417f6268276de71899e4da5519fba69382bce6c70bf13b7d5e");
}

TEST_F(AgreesWithBotocore, OnASessionToken) {
  HttpRequest request = get(m_odd_key);
  EXPECT_EQ(sign_it(request, "s3", {}, "SESSION/TOKEN+="),
            "6b5366eae2801772b2b727c355241b151562803e83774e7e9313c5c7b3e575db");
}

TEST_F(AgreesWithBotocore, OnHeaderNamesThatBeginLikeOthers) {
  HttpRequest request = get("k.rpm");
  request.method = "POST";
  request.query = {{"uploads", ""}};
  request.headers = {{"x-amz-meta-a-b", "2"}, {"x-amz-meta-a", "1"}, {"content-type", "application/x-rpm"}};
  EXPECT_EQ(sign_it(request, "s3"), "160f6400818a960fa673ee4dc89076581ab866c1e01a2014043a7a0df0a0136f");
}

TEST_F(AgreesWithBotocore, OnAListingBehindAPort) {
  HttpRequest request;
  request.scheme = "http";
  request.host = "127.0.0.1:7480";
  request.path = "/bucket";
  request.query = {
      {"prefix", "a+b/ c"}, {"list-type", "2"}, {"encoding-type", "url"}, {"continuation-token", "list/01999 +x"}};
  EXPECT_EQ(sign_it(request, "s3"), "076532edd7cd0475ae830718f8b33b0cdfd1cdc76d080e6d40e5894102a00543");
}

TEST_F(AgreesWithBotocore, OnAJsonPostToSqs) {
  HttpRequest request;
  request.method = "POST";
  request.host = "sqs.eu-west-1.amazonaws.com";
  request.headers = {{"content-type", "application/x-amz-json-1.0"}, {"x-amz-target", "AmazonSQS.ReceiveMessage"}};
  EXPECT_EQ(sign_it(request, "sqs", R"({"QueueUrl":"https://sqs.eu-west-1.amazonaws.com/123456789012/q"})"),
            "bab584527a9ab1c8efd4f405f468f14c6e9860b63a4a1fc69e81042ce09a1a93");
}

TEST_F(AgreesWithBotocore, OnThePathOfOtherServicesWhichIsEncodedTwice) {
  HttpRequest request;
  request.method = "POST";
  request.host = "sqs.eu-west-1.amazonaws.com";
  request.path = "/123456789012/na me";
  request.headers = {{"content-type", "text/plain"}};
  EXPECT_EQ(sign_it(request, "sqs", "x"), "2053944908ca48cbc9305532f58d9917e83b798fc7ababbaa46bf0c6e7dab14a");
}

TEST_F(AgreesWithBotocore, BlanksAroundAndInsideAHeaderDoNotMatter) {
  HttpRequest plain = get("k");
  plain.headers = {{"x-amz-meta-a", "1 2"}};
  HttpRequest spaced = get("k");
  spaced.headers = {{"x-amz-meta-a", "  1 \t 2 "}};
  EXPECT_EQ(sign_it(plain, "s3"), sign_it(spaced, "s3"));
}

TEST(Sign, OnlyS3GetsThePayloadHeader) {
  HttpRequest s3;
  HttpRequest sqs;
  sign(s3, k_unsigned_payload, {"A", "S", {}, {}}, {"r", "s3"}, SystemTime{});
  sign(sqs, sha256_hex(""), {"A", "S", {}, {}}, {"r", "sqs"}, SystemTime{});
  const auto has_payload_header = [](const HttpRequest& request) {
    for (const auto& [name, value] : request.headers)
      if (name == "x-amz-content-sha256") return true;
    return false;
  };
  EXPECT_TRUE(has_payload_header(s3));
  EXPECT_FALSE(has_payload_header(sqs));
}

}  // namespace
}  // namespace repoupdate
