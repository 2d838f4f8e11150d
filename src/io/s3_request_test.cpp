// SPDX-License-Identifier: Apache-2.0
#include "io/s3_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

S3Bucket bucket(S3BucketOptions options = {}) {
  if (options.bucket.empty()) options.bucket = "packages";
  if (options.region.empty()) options.region = "eu-west-1";
  auto resolved = resolve_bucket(std::move(options));
  EXPECT_TRUE(resolved.ok()) << resolved.error().text();
  return *std::move(resolved);
}

std::string header(const HttpRequest& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return {};
}

TEST(S3Bucket, HasAHostOfItsOwnOnAws) {
  EXPECT_EQ(url(head_object_request(bucket(), "a b")), "https://packages.s3.eu-west-1.amazonaws.com/a%20b");
  EXPECT_EQ(url(head_bucket_request(bucket())), "https://packages.s3.eu-west-1.amazonaws.com/");
}

TEST(S3Bucket, IsInThePathWhereNoCertificateOrNameWouldFit) {
  S3BucketOptions dots;
  dots.bucket = "rpm.example.org";
  EXPECT_EQ(url(head_object_request(bucket(dots), "k")), "https://s3.eu-west-1.amazonaws.com/rpm.example.org/k");
  S3BucketOptions custom;
  custom.endpoint_url = "http://127.0.0.1:7480/s3/";
  EXPECT_EQ(url(head_object_request(bucket(custom), "k")), "http://127.0.0.1:7480/s3/packages/k");
  EXPECT_EQ(url(head_bucket_request(bucket(custom))), "http://127.0.0.1:7480/s3/packages");
  custom.path_style = false;
  EXPECT_EQ(url(head_object_request(bucket(custom), "k")), "http://packages.127.0.0.1:7480/s3/k");
}

TEST(S3Bucket, SignsForADefaultRegionWhereTheStoreHasNone) {
  S3BucketOptions options;
  options.bucket = "b";
  options.endpoint_url = "http://127.0.0.1:7480";
  EXPECT_EQ(resolve_bucket(options)->region, "us-east-1");
}

TEST(S3Bucket, IsLookedForInADefaultRegionAndFoundInAnother) {
  S3BucketOptions options;
  options.bucket = "packages";
  options.variant.dual_stack = true;
  const auto bucket = resolve_bucket(options);
  ASSERT_TRUE(bucket.ok());
  EXPECT_EQ(bucket->region, "us-east-1");
  EXPECT_EQ(bucket_host(*bucket), "packages.s3.dualstack.us-east-1.amazonaws.com");
  const auto moved = bucket_in_region(*bucket, "cn-north-1");
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->region, "cn-north-1");
  EXPECT_EQ(bucket_host(*moved), "packages.s3.dualstack.cn-north-1.amazonaws.com.cn");
  EXPECT_TRUE(bucket_in_region(*bucket, "evil.example/").failed_with(ErrorKind::invalid));
}

// Such a name is no label of a host that the endpoint's certificate covers.
TEST(S3Bucket, StandsInThePathWhereItsNameCannotBeAHosts) {
  for (const std::string name : {"with.dots", "under_score", "Capital", "ab", "-dash", "dash-"}) {
    S3BucketOptions options;
    options.bucket = name;
    EXPECT_EQ(url(head_bucket_request(bucket(options))), "https://s3.eu-west-1.amazonaws.com/" + name);
  }
}

TEST(S3Bucket, RefusesOptionsThatCannotWork) {
  const auto refused = [](auto change) {
    S3BucketOptions options;
    options.bucket = "packages";
    options.region = "eu-west-1";
    change(options);
    return resolve_bucket(options).failed_with(ErrorKind::invalid);
  };
  EXPECT_FALSE(refused([](S3BucketOptions&) {}));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.bucket = ""; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.bucket = "a/b"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.bucket = ".."; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.region = "evil.example/"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.endpoint_url = "127.0.0.1"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.sse = "rot13"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.sse_kms_key_id = "key"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.storage_class = "DEEP_ARCHIVE"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.expected_bucket_owner = "me"; }));
  EXPECT_TRUE(refused([](S3BucketOptions& options) { options.tags = "no value"; }));
}

// An empty key would be the bucket itself, and DELETE would mean it.
TEST(S3Key, IsNeitherEmptyNorTooLong) {
  EXPECT_TRUE(check_s3_key("").failed_with(ErrorKind::invalid));
  EXPECT_TRUE(check_s3_key(std::string(k_max_s3_key, 'k')).ok());
  EXPECT_TRUE(check_s3_key(std::string(k_max_s3_key + 1, 'k')).failed_with(ErrorKind::invalid));
}

TEST(S3Put, CarriesItsChecksumTwice) {
  PutOptions options;
  options.content_type = "application/xml";
  options.cache_control = "no-cache";
  const HttpRequest request = put_object_request(bucket(), "repodata/repomd.xml", options, sha256_hex(""));
  EXPECT_EQ(header(request, "x-amz-checksum-sha256"), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  EXPECT_EQ(header(request, k_sha256_record), sha256_hex(""));
  EXPECT_EQ(header(request, "content-type"), "application/xml");
  EXPECT_EQ(header(request, "cache-control"), "no-cache");
}

TEST(S3Put, AsksForNothingThatWasNotConfigured) {
  const HttpRequest request = put_object_request(bucket(), "a.rpm", {}, sha256_hex(""));
  for (const auto& [name, value] : request.headers)
    EXPECT_TRUE(name == "content-type" || name == "x-amz-checksum-sha256" || name == k_sha256_record) << name;
}

// A storage class is for packages; metadata that took hours to read would be a dead repository.
TEST(S3Put, PutsOnlyPackagesIntoTheStorageClass) {
  S3BucketOptions options;
  options.storage_class = "STANDARD_IA";
  options.acl = "public-read";
  options.sse = "aws:kms";
  options.sse_kms_key_id = "key";
  options.expected_bucket_owner = "111122223333";
  const S3Bucket configured = bucket(options);
  const HttpRequest package = put_object_request(configured, "a.rpm", {}, sha256_hex(""));
  const HttpRequest part_by_part = create_multipart_request(configured, "a.rpm", {}, sha256_hex(""));
  const HttpRequest metadata = put_object_request(configured, "repodata/repomd.xml", {}, sha256_hex(""));
  EXPECT_EQ(header(package, "x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(header(part_by_part, "x-amz-storage-class"), "STANDARD_IA");
  EXPECT_EQ(header(metadata, "x-amz-storage-class"), "");
  for (const HttpRequest& request : {package, part_by_part, metadata}) {
    EXPECT_EQ(header(request, "x-amz-acl"), "public-read");
    EXPECT_EQ(header(request, "x-amz-server-side-encryption"), "aws:kms");
    EXPECT_EQ(header(request, "x-amz-server-side-encryption-aws-kms-key-id"), "key");
    EXPECT_EQ(header(request, "x-amz-expected-bucket-owner"), "111122223333");
  }
  EXPECT_EQ(header(delete_object_request(configured, "k"), "x-amz-expected-bucket-owner"), "111122223333");
}

// Every kind of request: a read from somebody else's bucket is as wrong as a write to it.
TEST(S3Bucket, EachRequestSaysWhoseBucketItIsAndWhoPays) {
  S3BucketOptions options;
  options.expected_bucket_owner = "111122223333";
  options.requester_pays = true;
  const S3Bucket configured = bucket(options);
  const std::string sha256 = sha256_hex("");
  for (const HttpRequest& request :
       {head_bucket_request(configured), head_object_request(configured, "k"), get_object_request(configured, "k", {}),
        put_object_request(configured, "k", {}, sha256), delete_object_request(configured, "k"),
        list_objects_request(configured, "p", ""), create_multipart_request(configured, "k", {}, sha256),
        upload_part_request(configured, "k", "id", 1, sha256), complete_multipart_request(configured, "k", "id"),
        abort_multipart_request(configured, "k", "id"), list_uploads_request(configured, "p", "")}) {
    EXPECT_EQ(header(request, "x-amz-expected-bucket-owner"), "111122223333") << url(request);
    EXPECT_EQ(header(request, "x-amz-request-payer"), "requester") << url(request);
  }
  for (const auto& [name, value] : get_object_request(bucket(), "k", {}).headers)
    EXPECT_TRUE(name != "x-amz-expected-bucket-owner" && name != "x-amz-request-payer");
}

// What an object is to be is said where it is made, and nowhere else: S3 refuses these headers elsewhere.
TEST(S3Put, TagsAndEncryptsWhatItMakes) {
  S3BucketOptions options;
  options.tags = "team=infra,cost center=a/b";
  options.sse = "AES256";
  const S3Bucket configured = bucket(options);
  const std::string sha256 = sha256_hex("");
  for (const HttpRequest& request : {put_object_request(configured, "repodata/repomd.xml", {}, sha256),
                                     put_object_request(configured, "a.rpm", {}, sha256),
                                     create_multipart_request(configured, "a.rpm", {}, sha256)}) {
    EXPECT_EQ(header(request, "x-amz-tagging"), "team=infra&cost%20center=a%2Fb");
    EXPECT_EQ(header(request, "x-amz-server-side-encryption"), "AES256");
  }
  for (const HttpRequest& request :
       {get_object_request(configured, "k", {}), upload_part_request(configured, "k", "id", 1, sha256),
        complete_multipart_request(configured, "k", "id"), delete_object_request(configured, "k")}) {
    EXPECT_EQ(header(request, "x-amz-tagging"), "");
    EXPECT_EQ(header(request, "x-amz-server-side-encryption"), "");
  }
}

TEST(S3Put, StatesItsConditionInTheStoresStyle) {
  PutOptions options;
  options.if_match = ETag{"\"abc\""};
  HttpRequest request;
  add_condition(request, options, ETagStyle::as_sent);
  EXPECT_EQ(header(request, "if-match"), "\"abc\"");
  add_condition(request, options, ETagStyle::bare);
  EXPECT_EQ(header(request, "if-match"), "abc");
  PutOptions absent;
  absent.if_absent = true;
  HttpRequest first;
  add_condition(first, absent, ETagStyle::as_sent);
  EXPECT_EQ(header(first, "if-none-match"), "*");
  EXPECT_EQ(header(first, "if-match"), "");
}

TEST(S3Get, AsksForARangeOrForTheChecksum) {
  GetOptions options;
  EXPECT_EQ(header(get_object_request(bucket(), "k", options), "x-amz-checksum-mode"), "ENABLED");
  options.range = ByteRange{4096, 1};
  options.if_match = ETag{"\"e\""};
  const HttpRequest request = get_object_request(bucket(), "k", options);
  EXPECT_EQ(header(request, "range"), "bytes=4096-4096");
  EXPECT_EQ(header(request, "if-match"), "\"e\"");
  EXPECT_EQ(range_header(10, 0), "bytes=10-");
}

TEST(S3List, EncodesPrefixAndToken) {
  const HttpRequest request = list_objects_request(bucket(), "a+b/", "list/01999 +x");
  EXPECT_EQ(canonical_query(request),
            "continuation-token=list%2F01999%20%2Bx&encoding-type=url&list-type=2&prefix=a%2Bb%2F");
  EXPECT_EQ(canonical_query(list_objects_request(bucket(), "", "")), "encoding-type=url&list-type=2&prefix=");
}

TEST(S3List, GoesOnBehindAnUpload) {
  EXPECT_EQ(canonical_query(list_uploads_request(bucket(), "a+b/", "")), "encoding-type=url&prefix=a%2Bb%2F&uploads=");
  EXPECT_EQ(canonical_query(list_uploads_request(bucket(), "", upload_marker("k\n 1", "id"))),
            "encoding-type=url&key-marker=k%0A%201&prefix=&upload-id-marker=id&uploads=");
}

TEST(S3Multipart, NamesPartsAndUpload) {
  const std::string sha256 = sha256_hex("");
  EXPECT_EQ(canonical_query(create_multipart_request(bucket(), "k", {}, sha256)), "uploads=");
  EXPECT_EQ(canonical_query(upload_part_request(bucket(), "k", "id/+", 3, sha256)), "partNumber=3&uploadId=id%2F%2B");
  EXPECT_EQ(canonical_query(complete_multipart_request(bucket(), "k", "id")), "uploadId=id");
  EXPECT_EQ(abort_multipart_request(bucket(), "k", "id").method, "DELETE");
}

TEST(S3Multipart, EachPartCarriesAChecksumThatTheStoreVerifies) {
  const std::string sha256 = sha256_hex("");
  const std::string base64 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
  EXPECT_EQ(header(create_multipart_request(bucket(), "k", {}, sha256), "x-amz-checksum-algorithm"), "SHA256");
  EXPECT_EQ(header(create_multipart_request(bucket(), "k", {}, sha256), k_sha256_record), sha256);
  EXPECT_EQ(header(upload_part_request(bucket(), "k", "id", 1, sha256), "x-amz-checksum-sha256"), base64);
  const std::string checksum = "<ChecksumSHA256>" + base64 + "</ChecksumSHA256>";
  EXPECT_THAT(complete_multipart_body({{{"a"}, {}}}), testing::Not(testing::HasSubstr("ChecksumSHA256")));
  EXPECT_EQ(complete_multipart_body({{{"\"a\""}, sha256}, {{"b&"}, sha256}}),
            R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)"
            "<Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag>" +
                checksum + "</Part><Part><PartNumber>2</PartNumber><ETag>b&amp;</ETag>" + checksum +
                "</Part></CompleteMultipartUpload>");
}

}  // namespace
}  // namespace repoupdate
