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

TEST_F(AgreesWithBotocore, OnEachOddKeyAlone) {
  struct Case {
    const char* key;
    const char* signature;
  };
  for (const Case& c : {
           Case{"+", "f55f311debde26bd082d6c1b5ab7062cf2ec2f0661af11dc56f59f68043241a6"},
           Case{"~", "69c26617e2c445f7ba72d5c9cceb9f7b0bd307eb9b07f0512a74e8d708ff7d33"},
           Case{"^", "f163749f7c57bd203b9d0a614ab2e81eab69d1820c12dfad4f20a025844a9832"},
           Case{"=", "78e1ba721f4aa1f6ee05c5c73ed1fcc6db92a40c5dfbce5dfe9d4772017b7082"},
           Case{"&", "5e25b67c6adcea2be7d6b65cfbdf8a56007ff119fc95f696efe19957e24b8cf5"},
           Case{"%", "b70272b7beeee3b36b3cb2352f9b85df0ae62ea13204fad8012e3b48a5b40d74"},
           Case{"a b", "be17cc8b0f9342e8bcda98ea358d5f1a190edf07e950cd1fb5f59d9baa21ed8a"},
           Case{";", "667e1a16e7380d79270bc3dfaf2ae6ed2aefe472df56b9327df95b2c7fcbef22"},
           Case{",", "b441c55346edeabae3c60073aab8538265327e35fd2f053d167856a48fc6a574"},
           Case{"@", "4725c3af8c34cee53d3ad947210e267625e65e37433d12530b41827c727b4c51"},
           Case{"$", "582eb5d9f9694447754bb5a0f1656a1ef047377808819e953ae199eb04a3b872"},
           Case{"'", "6069e7267c72fcefd51cfc99dd245ef9fcfb25502a6f7546cef95063b780df7a"},
           Case{"(", "64d96f2ecfe1db20b12da2d556c40d072a972a0a28b4709c336eb53559935f7d"},
           Case{")", "7d939bde37baf470bc20c1869a1a8f6ed2a8ff8887b30f5a0846b38675a74058"},
           Case{"*", "4c91b7379630657d58603abbdb2b0bb2198b4e45767ac10672ffc9e1496fa714"},
           Case{"!", "c43820cb7dd317ed35e74d643f30c8f1d45420e28646507db8e19f5e291a972f"},
           Case{":", "7fc26805294c83d035d4d7ae8c0304ae9ae497b13464e9139b1031f9b68d9d4d"},
           Case{"//", "c4d5f0ce7b4fda0b9943f7b3f1fa60f859f7fab4e838b0fa0fbdecec698252a3"},
           Case{"./", "315deb90d585c568f93ae2927b90f46a432c068c171a6256cd2aba14f80e4600"},
           Case{"../", "dd41d60960ca029da522b54f66bbe14c0bec4280c820b14771cac15e609fed94"},
           Case{"a/../b/./c//", "e972c31d76aed86dc75c1060cfd9b764d3ef5e4a5d598c2c5cd27faed751f9a4"},
           Case{"%2B", "d37f7568e068c4e49d65e9c346a951f12e5edbce8850ccd90e19c8f1fc33340e"},
           Case{"%25", "fa04b46b0fab8bd03fe1aa00516fd029b947e7724a652d96aad0a4fdc6f6e5fa"},
           Case{"\xC3\xA9", "7348508468bbdca82282369567a1dd20aeeedc3e13045074144e15399d527253"},
           Case{"\xE6\x97\xA5\xE6\x9C\xAC", "61db7de0547b412ad05ad8700a78a370ed9304c732e378ccaac77035c85fd1fc"},
           Case{"\xF0\x9F\x93\xA6", "298ad0144029b245796d7d0a152dc5683e0ae8f854b33bbc396ab47ac3fd8b3b"},
           Case{"\x09\x01\x7F", "bc050c78a2ca0b83d59ed04c9a9628718390c348bd62e88a038ff5de2b935958"},
           Case{"?#[]|\\\"<>{}`", "f368b38b15f3e547e60586491ad8052b112bb4aee3d1ecba2e34c510da3c36dc"},
       }) {
    HttpRequest request = get(c.key);
    EXPECT_EQ(sign_it(request, "s3"), c.signature) << c.key;
  }
}

TEST_F(AgreesWithBotocore, OnEndpointsWithUnusualPorts) {
  HttpRequest in_the_host = get("under/this/a+b ~^\xC3\xA9");
  in_the_host.host = "bucket.store.example:8080";
  EXPECT_EQ(sign_it(in_the_host, "s3"), "d5103a8f0f97b893f9b7dbb141a9844e481e1236c209c4147ba03c63a4f4f91f");
  HttpRequest in_the_path = get("bucket/a+b ~^\xC3\xA9");
  in_the_path.host = "[::1]:9000";
  EXPECT_EQ(sign_it(in_the_path, "s3", {}, "TOK/EN+="),
            "d07c0597f425ba04af8acc0a6bcfb5150112f6ecc675019d11340765df8b8f09");
}

TEST_F(AgreesWithBotocore, OnAPartOfAnUpload) {
  HttpRequest request = get("bucket");
  request.method = "PUT";
  request.host = "127.0.0.1:7480";
  request.query = {{"uploadId", "a+b/c=~*"}, {"partNumber", "2"}};
  EXPECT_EQ(sign_it(request, "s3", "part"), "658c99ac54e63328c632c8d9a721e2b31b6a9a30f7e2e97aa278a74c520ac087");
}

TEST_F(AgreesWithBotocore, OnACopyOfARange) {
  HttpRequest request = get("k");
  request.method = "PUT";
  request.headers = {{"x-amz-copy-source", "/bucket/a%2Bb"},
                     {"x-amz-copy-source-range", "bytes=0-4"},
                     {"x-amz-copy-source-if-match", "\"e\""}};
  EXPECT_EQ(sign_it(request, "s3"), "9f431fc94272b7cf7f0cb2deab67c786b3b7783accbe76be0caddab79433a17b");
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

TEST_F(AgreesWithBotocore, HeaderThatComesTwiceIsOneWithAComma) {
  HttpRequest once = get("k");
  once.headers = {{"x-amz-meta-a", "1,2"}};
  HttpRequest twice = get("k");
  twice.headers = {{"x-amz-meta-a", "1"}, {"x-amz-meta-a", " 2"}};
  EXPECT_EQ(sign_it(once, "s3"), sign_it(twice, "s3"));
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

// A kept key is told from others by all that it is made of, and there are more of them than are kept.
TEST(SigningKeys, SignAsIfMadeAnew) {
  SigningKeys keys;
  for (const int day : {1, 2, 3})
    for (const std::string region : {"us-east-1", "eu-central-1"})
      for (const std::string service : {"s3", "sqs"})
        for (const std::string secret : {"S", "T", "S", "T"}) {
          const Credentials credentials{"A", secret, {}, {}};
          const SystemTime now(std::chrono::hours(24 * day));
          HttpRequest kept, anew;
          sign(kept, k_unsigned_payload, credentials, {region, service}, now, keys);
          sign(anew, k_unsigned_payload, credentials, {region, service}, now);
          EXPECT_EQ(signature(kept), signature(anew)) << secret << region << service << day;
        }
}

}  // namespace
}  // namespace repoupdate
