// SPDX-License-Identifier: Apache-2.0
// S3 requests as values, unsigned; nothing here sends. Source: "Actions", Amazon S3 API Reference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/aws_endpoint.hpp"
#include "io/http.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

struct S3BucketOptions {
  std::string bucket;
  std::string region;              // empty: k_default_region, until the store says where the bucket is
  std::string endpoint_url;        // empty: AWS
  AwsEndpointVariant variant;      // of AWS
  std::optional<bool> path_style;  // none: with a custom endpoint, or when the bucket's name cannot be a host's
  std::string storage_class;       // of packages; empty: the bucket's default
  std::string acl;                 // canned, of every object; empty: no ACL header
  std::string sse;                 // of every object: "", "AES256", "aws:kms", "aws:kms:dsse"
  std::string sse_kms_key_id;
  std::string expected_bucket_owner;  // AWS account, 12 digits; empty: any
  bool requester_pays = false;        // we pay for our requests, where the bucket asks for it
  std::string tags;                   // of every object: "KEY=VALUE,KEY=VALUE"; empty: none
};

// A bucket and how it is reached and written: the options after their check.
struct S3Bucket {
  S3BucketOptions options;
  AwsEndpoint endpoint;
  std::string region;  // to sign for
  bool path_style = false;
  std::string tagging;  // the tags as x-amz-tagging wants them
};

// ErrorKind::invalid for a malformed name, region or URL, for an unknown encryption, for a storage class out of which
// nobody can read at once, for an account that is no account's number, and for tags that S3 would refuse.
Result<S3Bucket> resolve_bucket(S3BucketOptions options);

// The host of all requests about the bucket.
std::string bucket_host(const S3Bucket& bucket);
// The same bucket where the store says that it is: another endpoint of AWS, the same one of another store.
Result<S3Bucket> bucket_in_region(const S3Bucket& bucket, const std::string& region);

inline constexpr std::size_t k_max_s3_key = 1024;  // bytes
// ErrorKind::invalid for an empty key, which would mean the bucket itself, and for one that is too long.
Result<void> check_s3_key(std::string_view key);

// The record of the whole object's SHA-256 that this program leaves with what it uploads.
inline constexpr std::string_view k_sha256_record = "x-amz-meta-repoupdate-sha256";

// How the store wants an ETag in If-Match on a write: as it sent it, or, on Ceph RGW, without the quotes.
enum class ETagStyle { as_sent, bare };

// The header of PutOptions' condition, where there is one.
void add_condition(HttpRequest& request, const PutOptions& options, ETagStyle style);

HttpRequest head_bucket_request(const S3Bucket& bucket);
HttpRequest head_object_request(const S3Bucket& bucket, std::string_view key);
HttpRequest get_object_request(const S3Bucket& bucket, std::string_view key, const GetOptions& options);
// "bytes=first-last"; without an end when `length` is 0.
std::string range_header(std::uint64_t first, std::uint64_t length);
// Without its condition. `sha256` is that of the whole object.
HttpRequest put_object_request(const S3Bucket& bucket, std::string_view key, const PutOptions& options,
                               const std::string& sha256);
HttpRequest delete_object_request(const S3Bucket& bucket, std::string_view key);
HttpRequest list_objects_request(const S3Bucket& bucket, std::string_view prefix, std::string_view continuation);
HttpRequest list_objects_after_request(const S3Bucket& bucket, std::string_view prefix, std::string_view after,
                                       std::size_t at_most);

HttpRequest create_multipart_request(const S3Bucket& bucket, std::string_view key, const PutOptions& options,
                                     const std::string& sha256);
HttpRequest upload_part_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id,
                                std::size_t part_number, const std::string& sha256);
// Without its condition.
HttpRequest complete_multipart_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id);
// A part as the store is to put it together: what it answered, and what was sent.
struct SentPart {
  ETag etag;
  std::string sha256;  // lower-case hex; empty where the store did not say that it has looked at it
};
std::string complete_multipart_body(const std::vector<SentPart>& parts);  // the first is part number 1
HttpRequest abort_multipart_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id);
// `continuation` is UploadPage::next of the page before, or empty.
HttpRequest list_uploads_request(const S3Bucket& bucket, std::string_view prefix, std::string_view continuation);
// A page ends at a key and at one of its uploads; the two as one text, and back.
std::string upload_marker(std::string_view key, std::string_view upload_id);

}  // namespace repoupdate
