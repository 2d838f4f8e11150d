// SPDX-License-Identifier: Apache-2.0
#include "io/aws_error.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "io/json_text.hpp"

namespace repoupdate {
namespace {

struct CodeKind {
  std::string_view code;
  ErrorKind kind;
};

// Codes that say more than their status.
constexpr std::array<CodeKind, 42> k_code_kinds{{
    {"NoSuchBucket", ErrorKind::no_store},
    {"PermanentRedirect", ErrorKind::invalid},
    {"AuthorizationHeaderMalformed", ErrorKind::invalid},
    {"BadDigest", ErrorKind::corrupt},
    {"XAmzContentSHA256Mismatch", ErrorKind::corrupt},
    {"XAmzContentChecksumMismatch", ErrorKind::corrupt},
    {"IncompleteBody", ErrorKind::unavailable},
    {"RequestTimeout", ErrorKind::unavailable},
    {"RequestTimeoutException", ErrorKind::unavailable},
    {"PriorRequestNotComplete", ErrorKind::unavailable},
    {"InternalError", ErrorKind::unavailable},
    {"InternalFailure", ErrorKind::unavailable},
    {"ServiceUnavailable", ErrorKind::unavailable},
    {"SlowDown", ErrorKind::throttled},
    {"Throttling", ErrorKind::throttled},
    {"ThrottlingException", ErrorKind::throttled},
    {"ThrottledException", ErrorKind::throttled},
    {"RequestThrottled", ErrorKind::throttled},
    {"RequestThrottledException", ErrorKind::throttled},
    {"RequestLimitExceeded", ErrorKind::throttled},
    {"TooManyRequestsException", ErrorKind::throttled},
    {"BandwidthLimitExceeded", ErrorKind::throttled},
    {"KmsThrottled", ErrorKind::throttled},
    {"KMS.ThrottlingException", ErrorKind::throttled},
    {"OverLimit", ErrorKind::throttled},
    {"QueueDoesNotExist", ErrorKind::not_found},
    {"AWS.SimpleQueueService.NonExistentQueue", ErrorKind::not_found},
    {"AccessDenied", ErrorKind::denied},
    {"AccessDeniedException", ErrorKind::denied},
    {"InvalidAccessKeyId", ErrorKind::denied},
    {"InvalidClientTokenId", ErrorKind::denied},
    {"UnrecognizedClientException", ErrorKind::denied},
    {"SignatureDoesNotMatch", ErrorKind::denied},
    {"IncompleteSignature", ErrorKind::denied},
    {"InvalidSignatureException", ErrorKind::denied},  // of JSON services, with 400; also of a clock that is wrong
    {"RequestExpired", ErrorKind::denied},
    {"InvalidToken", ErrorKind::denied},
    {"ExpiredToken", ErrorKind::denied},
    {"ExpiredTokenException", ErrorKind::denied},
    {"NotImplemented", ErrorKind::unsupported},
    {"ConditionalRequestConflict", ErrorKind::conflict},
    {"NoSuchUpload", ErrorKind::conflict},  // somebody ended it; says nothing about the object
}};

// "KMS.DisabledException" of S3, "KmsDisabled" of SQS: what is asked for is encrypted with a key that cannot be used. It
// says nothing about what that is, and passes when the key can be used again.
bool is_about_key(std::string_view code) {
  return code.starts_with("KMS.") || code.starts_with("Kms");
}

ErrorKind status_kind(int status) {
  switch (status) {
    case 304:
    case 412: return ErrorKind::precondition_failed;
    case 401:
    case 403: return ErrorKind::denied;
    case 404: return ErrorKind::not_found;
    case 405:
    case 501: return ErrorKind::unsupported;
    case 408: return ErrorKind::timed_out;
    case 409: return ErrorKind::conflict;
    case 429: return ErrorKind::throttled;
    case 507: return ErrorKind::no_space;
    default: return status >= 500 ? ErrorKind::unavailable : ErrorKind::invalid;
  }
}

AwsErrorBody parse_json(const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  const std::string type = json_text(json, "__type");  // "com.amazonaws.sqs#QueueDoesNotExist"
  const std::string message = json_text(json, "message");
  return {one_line(std::string_view(type).substr(type.find('#') + 1)),
          one_line(message.empty() ? json_text(json, "Message") : message)};
}

pugi::xml_node error_node(const pugi::xml_document& document) {
  const pugi::xml_node error = document.child("Error");
  return error ? error : document.child("ErrorResponse").child("Error");
}

AwsErrorBody parse_xml(const std::string& body) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return {};
  const pugi::xml_node error = error_node(document);
  return {one_line(error.child_value("Code")), one_line(error.child_value("Message"))};
}

std::string advice(std::string_view action, const HttpResponse& response, std::string_view code) {
  if (const std::string region = bucket_region(response); !region.empty())
    return ": the bucket is in region " + region + ", set that region";
  if (code == "RequestTimeTooSkewed" || code == "RequestExpired") return ": set this machine's clock";
  if (code == "InvalidAccessKeyId" || code == "SignatureDoesNotMatch" || code == "InvalidClientTokenId" ||
      code == "UnrecognizedClientException" || code == "InvalidToken" || code == "InvalidSignatureException")
    return ": check the access key and its secret";
  if (is_about_key(code) && aws_error_kind(response.status, code) == ErrorKind::denied)
    return ": see to the KMS key that it is encrypted with";
  if (aws_error_kind(response.status, code) == ErrorKind::denied && !action.empty())
    return ": check the credentials, and that they may " + std::string(action);
  if (response.status >= 300 && response.status < 400 && response.status != 304)
    return ": a redirect, which is not followed; check the region and the endpoint";
  return {};
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line(text.substr(0, k_max_aws_message));
  // Not in the middle of a UTF-8 character.
  if (line.size() < text.size())
    while (!line.empty() && (static_cast<unsigned char>(text[line.size()]) & 0xC0) == 0x80) line.pop_back();
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, ' ');
  while (line.ends_with(' ') || line.ends_with('.')) line.pop_back();
  return line;
}

AwsErrorBody parse_aws_error(const HttpResponse& response) {
  const std::size_t first = response.body.find_first_not_of(" \t\r\n");
  AwsErrorBody error;
  if (first != std::string::npos && response.body[first] == '{')
    error = parse_json(response.body);
  else if (first != std::string::npos)
    error = parse_xml(response.body);
  if (error.code.empty()) {
    const std::string_view code = response.header("x-amzn-query-error");  // "Code;Sender"
    error.code = one_line(code.substr(0, code.find(';')));
  }
  return error;
}

std::string bucket_region(const HttpResponse& refusal) {
  if (refusal.status != 301 && refusal.status != 307 && refusal.status != 400) return {};
  if (const std::string_view region = refusal.header("x-amz-bucket-region"); !region.empty()) return one_line(region);
  pugi::xml_document document;
  if (!document.load_buffer(refusal.body.data(), refusal.body.size())) return {};
  return one_line(error_node(document).child_value("Region"));
}

ErrorKind aws_error_kind(int status, std::string_view code) {
  for (const auto& entry : k_code_kinds)
    if (entry.code == code) return entry.kind;
  // KMS.KMSInternalException and its like say that KMS has trouble, nothing about the key.
  return is_about_key(code) && status < 500 ? ErrorKind::denied : status_kind(status);
}

std::string request_id(const HttpResponse& response) {
  std::string_view id = response.header("x-amz-request-id");
  if (id.empty()) id = response.header("x-amzn-requestid");
  const std::string_view host_id = response.header("x-amz-id-2");
  return id.empty() || host_id.empty() ? one_line(id) : one_line(std::string(id) + '/' + std::string(host_id));
}

Error aws_error(std::string_view subject, std::string_view action, const HttpResponse& response) {
  const AwsErrorBody error = parse_aws_error(response);
  std::string message = std::string(subject) + ": the service answers " + std::to_string(response.status);
  if (!error.code.empty()) message += ' ' + error.code;
  if (!error.message.empty()) message += ": " + error.message;
  message += advice(action, response, error.code);
  ErrorKind kind = aws_error_kind(response.status, error.code);
  if (kind == ErrorKind::not_found && error.code.empty() && !response.body.empty()) {
    // The page of some web server or proxy proves nothing about an object or a queue (I14). Another try may reach the
    // service, where only one of several ways to it is wrong.
    kind = ErrorKind::unavailable;
    message += ": this is not the service's own answer, check the endpoint";
  }
  const std::string id = request_id(response);
  if (kind == ErrorKind::invalid && response.status == 400 && error.code.empty() && id.empty() &&
      bucket_region(response).empty()) {
    // What an HTTP server says of half a request, before the service has seen it: nothing about what was asked.
    kind = ErrorKind::unavailable;
    message += ": the request did not arrive whole, or this is no such service";
  }
  return {kind, std::move(message), id};
}

}  // namespace repoupdate
