// SPDX-License-Identifier: Apache-2.0
#include "io/aws_endpoint.hpp"

#include <algorithm>

#include "io/http.hpp"

namespace repoupdate {
namespace {

bool is_region(std::string_view region) {
  return !region.empty() && std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

Result<AwsEndpoint> parse_endpoint_url(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed || !parsed->query.empty())
    return Error{ErrorKind::invalid, "endpoint '" + std::string(url) + "': write it as https://host[:port]", {}};
  AwsEndpoint endpoint{parsed->scheme, parsed->host, parsed->path, true};
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  return endpoint;
}

Result<AwsEndpoint> aws_endpoint(std::string_view service, std::string_view region, std::string_view endpoint_url) {
  if (!endpoint_url.empty()) return parse_endpoint_url(endpoint_url);
  if (region.empty())
    return Error{ErrorKind::invalid, "no AWS region is set: set it in the configuration or in AWS_REGION", {}};
  if (!is_region(region))
    return Error{ErrorKind::invalid, "'" + std::string(region) + "' is not the name of an AWS region", {}};
  const std::string_view domain = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return AwsEndpoint{"https", std::string(service) + '.' + std::string(region) + '.' + std::string(domain), "", false};
}

}  // namespace repoupdate
