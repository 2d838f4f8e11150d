// SPDX-License-Identifier: Apache-2.0
// Where an AWS service, or a store that speaks its protocol, is reached.
// Source: "AWS service endpoints", AWS General Reference; "Dual-stack and FIPS endpoints", AWS SDKs and Tools
// Reference Guide.
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

// Which of AWS's own endpoints are wanted.
struct AwsEndpointVariant {
  bool dual_stack = false;  // reached by IPv6 as well
  bool fips = false;        // with cryptography that is validated by FIPS 140
};

// Where a bucket is looked for when nobody says where it is, and STS is asked.
inline constexpr std::string_view k_default_region = "us-east-1";

// Lower-case letters, digits and '-', at most 64: what may become a part of a host's name.
bool is_aws_region(std::string_view region);

// What a store of somebody else's may call its region ("RegionOne"): letters, digits, '-' and '_', at most 64. It is
// signed for, and becomes no part of a host's name.
bool is_store_region(std::string_view region);

// "http[s]://host[:port][/path]". ErrorKind::invalid for anything else, also for a URL with a user, a query or
// a fragment. The message never repeats the user or the password.
Result<AwsEndpoint> parse_endpoint_url(std::string_view url);

// The endpoint of `service` ("s3", "sqs", "sts", "portal.sso") in `region`, or `endpoint_url` when that is not
// empty. Knows the partitions aws, aws-cn, aws-us-gov, aws-eusc and aws-iso, -b, -e and -f.
// ErrorKind::invalid when there is neither a region nor a URL, one of them is malformed, or a variant is wanted of
// a URL or of a partition that has none.
Result<AwsEndpoint> aws_endpoint(std::string_view service, std::string_view region, std::string_view endpoint_url,
                                 AwsEndpointVariant variant = {});

}  // namespace repoupdate
