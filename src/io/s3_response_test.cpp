// SPDX-License-Identifier: Apache-2.0
#include "io/s3_response.hpp"

#include <gtest/gtest.h>

#include "io/s3_request.hpp"

#include "base/hash.hpp"

namespace repoupdate {
namespace {

HttpResponse object_headers(HttpHeaders more = {}) {
  HttpHeaders headers = {{"content-length", "5"}, {"last-modified", "Sat, 31 Jan 2026 23:59:59 GMT"}};
  headers.insert(headers.end(), more.begin(), more.end());
  return {200, std::move(headers), {}};
}

const std::string k_hello = sha256_hex("hello");
const std::string k_hello_base64 = to_base64(*from_hex(k_hello));
const std::string k_other = sha256_hex("other");

TEST(S3ObjectInfo, ReadsSizeETagAndDate) {
  const auto info = parse_object_info("k", object_headers({{"etag", "\"e\""}}));
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->key, "k");
  EXPECT_EQ(info->size, 5U);
  EXPECT_EQ(info->etag.text, "\"e\"");
  EXPECT_EQ(to_iso8601(info->last_modified), "2026-01-31T23:59:59Z");
  EXPECT_EQ(info->sha256, std::nullopt);
}

TEST(S3ObjectInfo, OfARangeHasTheSizeOfTheWhole) {
  HttpResponse response = object_headers({{"etag", "\"e\""}, {"content-range", "bytes 10-14/12345"}});
  response.status = 206;
  EXPECT_EQ(parse_object_info("k", response)->size, 12345U);
}

TEST(S3ObjectInfo, HalfAnAnswerIsNone) {
  EXPECT_TRUE(parse_object_info("k", object_headers()).failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(parse_object_info("k", {200, {{"etag", "\"e\""}, {"content-length", "5"}}, {}})
                  .failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(parse_object_info("k", {200, {{"etag", "\"e\""}}, {}}).failed_with(ErrorKind::unavailable));
}

// When S3's SHA-256 is that of the whole object, and when it only looks like it.
TEST(S3ObjectInfo, TakesOnlyAChecksumOfTheWholeObject) {
  struct Case {
    const char* what;
    HttpHeaders headers;
    std::optional<std::string> sha256;
  };
  const std::string record = "x-amz-meta-repoupdate-sha256";
  const std::string checksum = "x-amz-checksum-sha256";
  const std::string type = "x-amz-checksum-type";
  for (const Case& c : std::vector<Case>{
           {"full object", {{"etag", "\"e\""}, {checksum, k_hello_base64}, {type, "FULL_OBJECT"}}, k_hello},
           {"no type, single PUT", {{"etag", "\"e\""}, {checksum, k_hello_base64}}, k_hello},
           {"no type, multipart ETag", {{"etag", "\"e-3\""}, {checksum, k_hello_base64}}, std::nullopt},
           {"composite by type", {{"etag", "\"e-3\""}, {checksum, k_hello_base64}, {type, "COMPOSITE"}}, std::nullopt},
           {"composite by suffix", {{"etag", "\"e\""}, {checksum, k_hello_base64 + "-3"}}, std::nullopt},
           {"composite by suffix, whatever its type",
            {{"etag", "\"e\""}, {checksum, k_hello_base64 + "-3"}, {type, "FULL_OBJECT"}},
            std::nullopt},
           {"full object of a multipart upload",
            {{"etag", "\"e-3\""}, {checksum, k_hello_base64}, {type, "FULL_OBJECT"}},
            k_hello},
           {"no base64", {{"etag", "\"e\""}, {checksum, "?"}}, std::nullopt},
           {"too short", {{"etag", "\"e\""}, {checksum, "aGVsbG8="}}, std::nullopt},
           {"our record", {{"etag", "\"e-3\""}, {record, k_other}}, k_other},
           {"the store's goes before our record",
            {{"etag", "\"e\""}, {checksum, k_hello_base64}, {record, k_other}},
            k_hello},
           {"our record beside a composite one",
            {{"etag", "\"e-3\""}, {checksum, k_hello_base64 + "-3"}, {record, k_other}},
            k_other},
           {"a record that is none", {{"etag", "\"e\""}, {record, "hello"}}, std::nullopt},
           {"a record in capitals", {{"etag", "\"e\""}, {record, std::string(64, 'A')}}, std::string(64, 'a')},
       })
    EXPECT_EQ(parse_object_info("k", object_headers(c.headers))->sha256, c.sha256) << c.what;
}

TEST(S3ContentRange, IsReadOrRefused) {
  EXPECT_EQ(parse_content_range("bytes 0-0/1")->size, 1U);
  EXPECT_EQ(parse_content_range("bytes 5-9/10")->first, 5U);
  for (const char* text : {"", "bytes 0-0/*", "bytes */10", "0-0/1", "bytes 10-11/10", "bytes -1/10", "bytes 1/10"})
    EXPECT_TRUE(parse_content_range(text).failed_with(ErrorKind::corrupt)) << text;
}

TEST(S3List, ReadsAPageAsAwsSendsIt) {
  const auto page = parse_list_objects(
      R"(<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix></Prefix><KeyCount>2</KeyCount>
<MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>
<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
<Contents><Key>pool/gtk%2B-c%2B%2B+x%C3%A9.rpm</Key><LastModified>2026-01-31T23:59:59.000Z</LastModified>
<ETag>&quot;0f&quot;</ETag><Size>12345678901</Size><StorageClass>STANDARD</StorageClass></Contents>
<Contents><Key>z</Key><LastModified>2026-01-31T23:59:59Z</LastModified><ETag>"1-2"</ETag><Size>0</Size></Contents>
</ListBucketResult>)");
  ASSERT_TRUE(page.ok()) << page.error().text();
  ASSERT_EQ(page->objects.size(), 2U);
  EXPECT_EQ(page->objects[0].key, "pool/gtk+-c++ x\xC3\xA9.rpm");
  EXPECT_EQ(page->objects[0].size, 12'345'678'901U);
  EXPECT_EQ(page->objects[0].etag.text, "\"0f\"");
  EXPECT_EQ(to_iso8601(page->objects[0].last_modified), "2026-01-31T23:59:59Z");
  EXPECT_EQ(page->objects[1].etag.text, "\"1-2\"");
  EXPECT_EQ(page->next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=");
}

TEST(S3List, DecodesNothingThatTheStoreDidNotEncode) {
  const auto page = parse_list_objects(
      "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+b%20c</Key>"
      "<LastModified>2026-01-31T23:59:59Z</LastModified><Size>1</Size></Contents></ListBucketResult>");
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->objects.at(0).key, "a+b%20c");
  EXPECT_EQ(page->next, "");
}

// I14: a listing that is cut short must not look like a bucket with fewer objects.
TEST(S3List, HalfAListingIsCorrupt) {
  const std::string entry =
      "<Contents><Key>k</Key><LastModified>2026-01-31T23:59:59Z</LastModified><Size>1</Size></Contents>";
  for (const std::string& body :
       {std::string(), std::string("<html/>"), std::string("not XML"), "<ListBucketResult>" + entry,
        "<ListBucketResult>" + entry + "</ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated>" + entry + "</ListBucketResult>",
        std::string("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>k</Key></Contents></"
                    "ListBucketResult>"),
        std::string("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents></"
                    "ListBucketResult>")})
    EXPECT_TRUE(parse_list_objects(body).failed_with(ErrorKind::corrupt)) << body;
}

TEST(S3Multipart, ReadsTheUploadId) {
  EXPECT_EQ(
      *parse_upload_id("<InitiateMultipartUploadResult><UploadId>2~x/+</UploadId></InitiateMultipartUploadResult>"),
      "2~x/+");
  EXPECT_TRUE(parse_upload_id("<Other/>").failed_with(ErrorKind::corrupt));
}

TEST(S3Multipart, SuccessIsSaidInTheBody) {
  const auto verdict = [](const std::string& body) {
    return check_completed("s3://b/k", "s3:PutObject", {200, {}, body});
  };
  EXPECT_TRUE(verdict("\n <CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>").ok());
  EXPECT_TRUE(verdict("<Error><Code>InternalError</Code></Error>").failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(verdict("<Error><Code>SomethingNew</Code></Error>").failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(verdict("<Error><Code>AccessDenied</Code></Error>").failed_with(ErrorKind::denied));
  EXPECT_TRUE(verdict("").failed_with(ErrorKind::corrupt));
}

TEST(S3Uploads, HaveKeysIdsAndTimes) {
  const auto page = parse_list_uploads(
      "<ListMultipartUploadsResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><EncodingType>url</EncodingType>"
      "<NextKeyMarker>b%2Bc</NextKeyMarker><NextUploadIdMarker>U2</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
      "<Upload><Key>a+1.rpm</Key><UploadId>U1</UploadId><Initiated>2026-01-31T23:59:59.000Z</Initiated></Upload>"
      "<Upload><Key>b%2Bc</Key><UploadId>U2</UploadId><Initiated>2026-01-31T23:59:59.000Z</Initiated></Upload>"
      "</ListMultipartUploadsResult>");
  ASSERT_TRUE(page.ok()) << page.error().text();
  ASSERT_EQ(page->uploads.size(), 2U);
  EXPECT_EQ(page->uploads[0].key, "a 1.rpm");
  EXPECT_EQ(page->uploads[0].id, "U1");
  EXPECT_EQ(to_iso8601(page->uploads[0].begun), "2026-01-31T23:59:59Z");
  EXPECT_EQ(page->uploads[1].key, "b+c");
  EXPECT_EQ(page->next, upload_marker("b+c", "U2"));
}

TEST(S3Uploads, AreNotThereOrNotUnderstood) {
  const auto none = parse_list_uploads("<ListMultipartUploadsResult/>");
  ASSERT_TRUE(none.ok());
  EXPECT_TRUE(none->uploads.empty());
  EXPECT_EQ(none->next, "");
  for (const char* body :
       {"", "<Error/>", "<ListMultipartUploadsResult><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>",
        "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>U</UploadId></Upload></ListMultipartUploadsResult>"})
    EXPECT_TRUE(parse_list_uploads(body).failed_with(ErrorKind::corrupt)) << body;
}

}  // namespace
}  // namespace repoupdate
