// SPDX-License-Identifier: Apache-2.0
#include "io/s3_request.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "io/s3_tags.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_account_digits = 12;

bool is_bucket_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

// A label of a host's name that the certificate of the endpoint covers: no dots. Source: "Bucket naming rules".
bool can_be_host(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

HttpRequest bucket_request(const S3Bucket& bucket, std::string method, std::string_view key) {
  HttpRequest request;
  request.method = std::move(method);
  request.scheme = bucket.endpoint.scheme;
  request.host = bucket_host(bucket);
  request.path = bucket.endpoint.path + '/';
  if (bucket.path_style) {
    request.path += bucket.options.bucket;
    if (!key.empty()) request.path += '/';
  }
  request.path += key;
  if (!bucket.options.expected_bucket_owner.empty())
    request.set_header("x-amz-expected-bucket-owner", bucket.options.expected_bucket_owner);
  if (bucket.options.requester_pays) request.set_header("x-amz-request-payer", "requester");
  return request;
}

void add_if_set(HttpRequest& request, std::string_view name, const std::string& value) {
  if (!value.empty()) request.set_header(name, value);
}

// What the object is to be, the same for one PUT and for a multipart upload.
void add_object_headers(HttpRequest& request, const S3Bucket& bucket, std::string_view key, const PutOptions& options,
                        const std::string& sha256) {
  add_if_set(request, "content-type", options.content_type);
  add_if_set(request, "cache-control", options.cache_control);
  request.set_header(k_sha256_record, sha256);
  // Metadata is read by every client on every run: it stays in the bucket's default class.
  if (key.ends_with(".rpm")) add_if_set(request, "x-amz-storage-class", bucket.options.storage_class);
  add_if_set(request, "x-amz-acl", bucket.options.acl);
  add_if_set(request, "x-amz-server-side-encryption", bucket.options.sse);
  add_if_set(request, "x-amz-server-side-encryption-aws-kms-key-id", bucket.options.sse_kms_key_id);
  add_if_set(request, "x-amz-tagging", bucket.tagging);
}

std::string checksum_header(const std::string& sha256) {
  return to_base64(from_hex(sha256).value_or(""));
}

Result<void> check_choices(const S3BucketOptions& options) {
  const auto wrong = [](std::string message) { return Error{ErrorKind::invalid, std::move(message), {}}; };
  const bool is_kms = options.sse == "aws:kms" || options.sse == "aws:kms:dsse";
  if (!options.sse.empty() && options.sse != "AES256" && !is_kms)
    return wrong("server-side encryption is 'AES256', 'aws:kms' or 'aws:kms:dsse', not '" + options.sse + "'");
  if (!options.sse_kms_key_id.empty() && !is_kms) return wrong("a KMS key needs server-side encryption 'aws:kms'");
  if (options.storage_class == "GLACIER" || options.storage_class == "DEEP_ARCHIVE")
    return wrong("packages in storage class " + options.storage_class + " cannot be installed");
  const std::string& owner = options.expected_bucket_owner;
  const bool is_account =
      owner.size() == k_account_digits && owner.find_first_not_of("0123456789") == std::string::npos;
  if (!owner.empty() && !is_account)
    return wrong("the bucket's owner is an account id of 12 digits, not '" + owner + "'");
  return {};
}

std::string without_quotes(const std::string& etag) {
  const bool is_quoted = etag.size() >= 2 && etag.starts_with('"') && etag.ends_with('"');
  return is_quoted ? etag.substr(1, etag.size() - 2) : etag;
}

std::string xml_text(const std::string& raw) {
  std::string text;
  for (const char c : raw) {
    switch (c) {
      case '&': text += "&amp;"; break;
      case '<': text += "&lt;"; break;
      case '>': text += "&gt;"; break;
      case '"': text += "&quot;"; break;
      default: text += c;
    }
  }
  return text;
}

}  // namespace

Result<S3Bucket> resolve_bucket(S3BucketOptions options) {
  if (!is_bucket_name(options.bucket))
    return Error{ErrorKind::invalid, "'" + options.bucket + "' is not the name of a bucket", {}};
  const std::string where = "s3://" + options.bucket;
  if (auto checked = check_choices(options); !checked) return std::move(checked).error().within(where);
  auto tagging = s3_tagging(options.tags);
  if (!tagging) return std::move(tagging).error().within(where);
  std::string region = options.region.empty() ? std::string(k_default_region) : options.region;
  auto endpoint = aws_endpoint("s3", region, options.endpoint_url, options.variant);
  if (!endpoint) return std::move(endpoint).error().within(where);

  S3Bucket bucket{std::move(options), *std::move(endpoint), std::move(region), false, *std::move(tagging)};
  bucket.path_style = bucket.options.path_style.value_or(bucket.endpoint.custom || !can_be_host(bucket.options.bucket));
  return bucket;
}

std::string bucket_host(const S3Bucket& bucket) {
  return bucket.path_style ? bucket.endpoint.host : bucket.options.bucket + '.' + bucket.endpoint.host;
}

Result<S3Bucket> bucket_in_region(const S3Bucket& bucket, const std::string& region) {
  auto endpoint = aws_endpoint("s3", region, bucket.options.endpoint_url, bucket.options.variant);
  if (!endpoint) return std::move(endpoint).error();
  S3Bucket moved = bucket;
  moved.endpoint = *std::move(endpoint);
  moved.region = region;
  return moved;
}

Result<void> check_s3_key(std::string_view key) {
  if (key.empty()) return Error{ErrorKind::invalid, "the key is empty", {}};
  if (key.size() > k_max_s3_key)
    return Error{ErrorKind::invalid, "the key has more than " + std::to_string(k_max_s3_key) + " bytes", {}};
  return {};
}

void add_condition(HttpRequest& request, const PutOptions& options, ETagStyle style) {
  if (options.if_absent) request.set_header("if-none-match", "*");
  if (options.if_match)
    request.set_header("if-match",
                       style == ETagStyle::bare ? without_quotes(options.if_match->text) : options.if_match->text);
}

HttpRequest head_bucket_request(const S3Bucket& bucket) {
  return bucket_request(bucket, "HEAD", {});
}

HttpRequest head_object_request(const S3Bucket& bucket, std::string_view key) {
  HttpRequest request = bucket_request(bucket, "HEAD", key);
  request.set_header("x-amz-checksum-mode", "ENABLED");
  return request;
}

std::string range_header(std::uint64_t first, std::uint64_t length) {
  return "bytes=" + std::to_string(first) + '-' + (length == 0 ? "" : std::to_string(first + length - 1));
}

HttpRequest get_object_request(const S3Bucket& bucket, std::string_view key, const GetOptions& options) {
  HttpRequest request = bucket_request(bucket, "GET", key);
  if (options.range)
    request.set_header("range", range_header(options.range->first, options.range->length));
  else
    request.set_header("x-amz-checksum-mode", "ENABLED");
  if (options.if_match) request.set_header("if-match", options.if_match->text);
  if (options.if_none_match) request.set_header("if-none-match", options.if_none_match->text);
  return request;
}

HttpRequest put_object_request(const S3Bucket& bucket, std::string_view key, const PutOptions& options,
                               const std::string& sha256) {
  HttpRequest request = bucket_request(bucket, "PUT", key);
  add_object_headers(request, bucket, key, options, sha256);
  request.set_header("x-amz-checksum-sha256", checksum_header(sha256));
  return request;
}

HttpRequest delete_object_request(const S3Bucket& bucket, std::string_view key) {
  return bucket_request(bucket, "DELETE", key);
}

HttpRequest list_objects_request(const S3Bucket& bucket, std::string_view prefix, std::string_view continuation) {
  HttpRequest request = bucket_request(bucket, "GET", {});
  // Encoded, as a key may hold characters that XML cannot.
  request.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", std::string(prefix)}};
  if (!continuation.empty()) request.query.emplace_back("continuation-token", continuation);
  return request;
}

HttpRequest list_objects_after_request(const S3Bucket& bucket, std::string_view prefix, std::string_view after,
                                       std::size_t at_most) {
  HttpRequest request = list_objects_request(bucket, prefix, {});
  request.query.emplace_back("start-after", after);
  request.query.emplace_back("max-keys", std::to_string(at_most));
  return request;
}

HttpRequest create_multipart_request(const S3Bucket& bucket, std::string_view key, const PutOptions& options,
                                     const std::string& sha256) {
  HttpRequest request = bucket_request(bucket, "POST", key);
  request.query = {{"uploads", ""}};
  add_object_headers(request, bucket, key, options, sha256);
  request.set_header("x-amz-checksum-algorithm", "SHA256");  // else S3 refuses the checksums of parts
  return request;
}

HttpRequest upload_part_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id,
                                std::size_t part_number, const std::string& sha256) {
  HttpRequest request = bucket_request(bucket, "PUT", key);
  request.query = {{"partNumber", std::to_string(part_number)}, {"uploadId", upload_id}};
  request.set_header("x-amz-checksum-sha256", checksum_header(sha256));
  return request;
}

HttpRequest complete_multipart_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id) {
  HttpRequest request = bucket_request(bucket, "POST", key);
  request.query = {{"uploadId", upload_id}};
  request.set_header("content-type", "application/xml");
  return request;
}

std::string complete_multipart_body(const std::vector<SentPart>& parts) {
  std::string body = R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    body +=
        "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>" + xml_text(parts[i].etag.text) + "</ETag>";
    if (!parts[i].sha256.empty()) body += "<ChecksumSHA256>" + checksum_header(parts[i].sha256) + "</ChecksumSHA256>";
    body += "</Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

HttpRequest abort_multipart_request(const S3Bucket& bucket, std::string_view key, const std::string& upload_id) {
  HttpRequest request = bucket_request(bucket, "DELETE", key);
  request.query = {{"uploadId", upload_id}};
  return request;
}

std::string upload_marker(std::string_view key, std::string_view upload_id) {
  return std::string(upload_id) + '\n' + std::string(key);
}

HttpRequest list_uploads_request(const S3Bucket& bucket, std::string_view prefix, std::string_view continuation) {
  HttpRequest request = bucket_request(bucket, "GET", {});
  request.query = {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", std::string(prefix)}};
  if (const std::size_t end = continuation.find('\n'); end != std::string_view::npos) {
    request.query.emplace_back("key-marker", continuation.substr(end + 1));
    request.query.emplace_back("upload-id-marker", continuation.substr(0, end));
  }
  return request;
}

}  // namespace repoupdate
