// SPDX-License-Identifier: Apache-2.0
// Where an AWS service, or a store that speaks its protocol, is reached.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

struct AwsEndpoint {
  std::string scheme;   // "https" or "http"
  std::string host;     // with ":port" when it is not the scheme's own
  std::string path;     // "" or "/below/this": raw bytes, no trailing slash
  bool custom = false;  // not AWS itself
};

// "http[s]://host[:port][/path]". ErrorKind::invalid for anything else, also for a URL with a user, a query or
// a fragment.
Result<AwsEndpoint> parse_endpoint_url(std::string_view url);

// The endpoint of `service` ("s3", "sqs") in `region`, or `endpoint_url` when that is not empty.
// ErrorKind::invalid when there is neither a region nor a URL, or one of them is malformed.
Result<AwsEndpoint> aws_endpoint(std::string_view service, std::string_view region, std::string_view endpoint_url);

}  // namespace repoupdate
