// SPDX-License-Identifier: Apache-2.0
#include "io/s3_response.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <pugixml.hpp>

#include "base/hash.hpp"
#include "io/aws_error.hpp"
#include "io/s3_request.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_sha256_size = 32;

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}

// An answer that says nothing about an object, as a proxy's page with 200: whoever gave it, another try may reach S3.
Error no_object(std::string message) {
  return {ErrorKind::unavailable, std::move(message), {}};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "...-12": made from the digests of 12 parts.
bool is_composite(std::string_view text) {
  while (text.ends_with('"')) text.remove_suffix(1);
  const std::size_t dash = text.rfind('-');
  return dash != std::string_view::npos && parse_number(text.substr(dash + 1)).has_value();
}

std::optional<std::string> stored_checksum(const HttpResponse& response) {
  if (response.status == 206) return std::nullopt;
  const std::string_view checksum = response.header("x-amz-checksum-sha256");
  const std::string_view type = response.header("x-amz-checksum-type");
  if (checksum.empty() || is_composite(checksum)) return std::nullopt;
  if (type.empty() ? is_composite(response.header("etag")) : type != "FULL_OBJECT") return std::nullopt;
  const auto raw = from_base64(checksum);
  if (!raw || raw->size() != k_sha256_size) return std::nullopt;
  return to_hex(*raw);
}

std::optional<std::string> recorded_checksum(const HttpResponse& response) {
  const auto raw = from_hex(response.header(k_sha256_record));
  if (!raw || raw->size() != k_sha256_size) return std::nullopt;
  return to_hex(*raw);
}

Result<ObjectInfo> parse_listed(const pugi::xml_node& entry, bool is_encoded) {
  ObjectInfo info;
  const std::string key = entry.child_value("Key");
  info.key = is_encoded ? form_decode(key) : key;
  info.etag = {entry.child_value("ETag")};
  const auto size = parse_number(entry.child_value("Size"));
  const auto last_modified = parse_iso8601(entry.child_value("LastModified"));
  if (info.key.empty() || !size || !last_modified) return corrupt("an entry of the listing has no key, size or date");
  info.size = *size;
  info.last_modified = *last_modified;
  return info;
}

}  // namespace

Result<ContentRange> parse_content_range(std::string_view header) {
  constexpr std::string_view k_unit = "bytes ";
  const std::size_t dash = std::min(header.find('-'), header.size());
  const std::size_t slash = std::min(header.find('/', dash), header.size());
  if (!header.starts_with(k_unit) || slash == header.size()) return corrupt("the Content-Range header is malformed");
  const auto first = parse_number(header.substr(k_unit.size(), dash - k_unit.size()));
  const auto size = parse_number(header.substr(slash + 1));
  if (!first || !size || *first >= *size) return corrupt("the Content-Range header is malformed");
  return ContentRange{*first, *size};
}

Result<ObjectInfo> parse_object_info(std::string_view key, const HttpResponse& response) {
  ObjectInfo info;
  info.key = key;
  const auto length = parse_number(response.header("content-length"));
  if (!length) return no_object("the answer has no Content-Length");
  info.size = *length;
  if (response.status == 206) {
    const auto range = parse_content_range(response.header("content-range"));
    if (!range) return range.error();
    info.size = range->size;
  }
  info.etag = {std::string(response.header("etag"))};
  if (info.etag.text.empty()) return no_object("the answer has no ETag");
  const auto last_modified = parse_http_date(response.header("last-modified"));
  if (!last_modified) return no_object("the answer has no Last-Modified");
  info.last_modified = *last_modified;
  info.answered = parse_http_date(response.header("date")).value_or(SystemTime{});
  info.sha256 = stored_checksum(response);
  if (!info.sha256) info.sha256 = recorded_checksum(response);
  return info;
}

Result<ListPage> parse_list_objects(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return corrupt("the listing is not XML");
  const pugi::xml_node result = document.child("ListBucketResult");
  if (!result) return corrupt("the listing has no ListBucketResult");
  const bool is_encoded = std::string_view(result.child_value("EncodingType")) == "url";
  ListPage page;
  for (const pugi::xml_node entry : result.children("Contents")) {
    auto info = parse_listed(entry, is_encoded);
    if (!info) return info.error();
    page.objects.push_back(*std::move(info));
  }
  const std::string_view is_truncated = result.child_value("IsTruncated");
  if (is_truncated == "true") page.next = result.child_value("NextContinuationToken");
  if ((is_truncated == "true") == page.next.empty() || (is_truncated != "true" && is_truncated != "false"))
    return corrupt("the listing does not say how it goes on");
  return page;
}

Result<UploadPage> parse_list_uploads(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return corrupt("the list of uploads is not XML");
  const pugi::xml_node result = document.child("ListMultipartUploadsResult");
  if (!result) return corrupt("the list of uploads has no ListMultipartUploadsResult");
  const bool is_encoded = std::string_view(result.child_value("EncodingType")) == "url";
  const auto decoded = [is_encoded](std::string text) { return is_encoded ? form_decode(text) : text; };
  UploadPage page;
  for (const pugi::xml_node entry : result.children("Upload")) {
    PendingUpload upload{decoded(entry.child_value("Key")), entry.child_value("UploadId"), {}};
    const auto begun = parse_iso8601(entry.child_value("Initiated"));
    if (upload.key.empty() || upload.id.empty() || !begun)
      return corrupt("an entry of the list of uploads has no key, id or date");
    upload.begun = *begun;
    page.uploads.push_back(std::move(upload));
  }
  if (std::string_view(result.child_value("IsTruncated")) != "true") return page;
  const std::string last = decoded(result.child_value("NextKeyMarker"));
  if (last.empty()) return corrupt("the list of uploads does not say how it goes on");
  page.next = upload_marker(last, result.child_value("NextUploadIdMarker"));
  return page;
}

Result<std::string> parse_upload_id(const std::string& body) {
  pugi::xml_document document;
  std::string id;
  if (document.load_buffer(body.data(), body.size()))
    id = document.child("InitiateMultipartUploadResult").child_value("UploadId");
  if (id.empty()) return corrupt("the answer has no UploadId");
  return id;
}

Result<void> check_completed(std::string_view subject, std::string_view action, const HttpResponse& response) {
  pugi::xml_document document;
  if (document.load_buffer(response.body.data(), response.body.size())) {
    const pugi::xml_node root = document.document_element();
    // "...Result" by the book, "...Response" with some stores.
    if (std::string_view(root.name()).starts_with("CompleteMultipartUpload")) return {};
    if (std::string_view(root.name()) == "Error") {
      Error error = aws_error(subject, action, response);
      // The status says nothing here: what the code does not explain is the service's trouble.
      error.kind = aws_error_kind(500, parse_aws_error(response).code);
      return error;
    }
  }
  return corrupt(std::string(subject) + ": the answer to the end of the upload says neither success nor failure");
}

SentPart sent_part(const HttpResponse& answer, const std::string& sha256) {
  const bool is_confirmed = !answer.header("x-amz-checksum-sha256").empty();
  return {{std::string(answer.header("etag"))}, is_confirmed ? sha256 : std::string()};
}

}  // namespace repoupdate
