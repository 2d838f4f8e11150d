// SPDX-License-Identifier: Apache-2.0
// What an AWS service's refusal means. Sources: "Error responses", Amazon S3 API Reference; "Common errors",
// Amazon SQS API Reference; AWS JSON 1.0 protocol.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/http.hpp"

namespace repoupdate {

// What the body (XML or JSON) and the headers of a failed request say; an answer to HEAD has no body, and
// then the code is empty.
struct AwsErrorBody {
  std::string code;     // "NoSuchKey", "AWS.SimpleQueueService.NonExistentQueue"
  std::string message;  // the service's own words, in one line of at most k_max_aws_message bytes
};
inline constexpr std::size_t k_max_aws_message = 500;

// Foreign text, fit for a log: one line without control characters, of at most k_max_aws_message bytes, not cut
// within a character.
std::string one_line(std::string_view text);

AwsErrorBody parse_aws_error(const HttpResponse& response);

// The region that a 301, 307 or 400 of S3 names as the bucket's, in x-amz-bucket-region or in <Region>; else "".
std::string bucket_region(const HttpResponse& refusal);

// The code decides where it says more than the status: a missing bucket is `no_store`, never `not_found`, so
// that a wrong bucket name cannot be taken for a package that is gone (I14).
ErrorKind aws_error_kind(int status, std::string_view code);

// What the service's support asks for: x-amz-request-id, with '/' and x-amz-id-2 behind it where S3 sends that, or
// x-amzn-requestid; printable, or empty.
std::string request_id(const HttpResponse& response);

// The whole failure: "SUBJECT: the service answers 403 AccessDenied: check the credentials, and that they may
// ACTION". A 404 whose body is not the service's own is `unavailable`.
Error aws_error(std::string_view subject, std::string_view action, const HttpResponse& response);

}  // namespace repoupdate
