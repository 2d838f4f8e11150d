// SPDX-License-Identifier: Apache-2.0
#include "io/aws_endpoint.hpp"

#include <algorithm>
#include <array>

#include "io/http.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_max_region = 64;

struct Partition {
  std::string_view region_prefix;
  std::string_view domain;
  std::string_view dual_stack_domain;  // of all services but S3, which has a label of its own
  bool s3_has_fips = true;
  bool is_fips_itself = false;  // all endpoints but S3's are: they have no other name
};

// The last one takes every region that is not of the others.
constexpr std::array<Partition, 8> k_partitions{{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn", false},
    {"us-gov-", "amazonaws.com", "api.aws", true, true},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"", "amazonaws.com", "api.aws"},
}};

const Partition& partition_of(std::string_view region) {
  return *std::find_if(k_partitions.begin(), k_partitions.end(),
                       [region](const Partition& partition) { return region.starts_with(partition.region_prefix); });
}

std::string host_of(std::string_view service, std::string_view region, const Partition& partition,
                    AwsEndpointVariant variant) {
  const bool is_s3 = service == "s3";
  const bool has_fips_name = variant.fips && (is_s3 || variant.dual_stack || !partition.is_fips_itself);
  std::string host = std::string(service) + (has_fips_name ? "-fips." : ".");
  if (is_s3 && variant.dual_stack) host += "dualstack.";
  host.append(region).append(".");
  return host.append(variant.dual_stack && !is_s3 ? partition.dual_stack_domain : partition.domain);
}

}  // namespace

bool is_aws_region(std::string_view region) {
  return !region.empty() && region.size() <= k_max_region && std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_store_region(std::string_view region) {
  return !region.empty() && region.size() <= k_max_region && std::all_of(region.begin(), region.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

Result<AwsEndpoint> parse_endpoint_url(std::string_view url) {
  const auto parsed = parse_url(url);
  if (!parsed || !parsed->query.empty())
    return Error{ErrorKind::invalid, "endpoint '" + without_userinfo(url) + "': write it as https://host[:port]", {}};
  AwsEndpoint endpoint{parsed->scheme, parsed->host, parsed->path, true};
  while (endpoint.path.ends_with('/')) endpoint.path.pop_back();
  return endpoint;
}

Result<AwsEndpoint> aws_endpoint(std::string_view service, std::string_view region, std::string_view endpoint_url,
                                 AwsEndpointVariant variant) {
  if (!endpoint_url.empty()) {
    if (variant.dual_stack || variant.fips)
      return Error{ErrorKind::invalid,
                   "endpoint '" + without_userinfo(endpoint_url) + "': a " + (variant.fips ? "FIPS" : "dual-stack") +
                       " endpoint is wanted too, and there is none of a URL: unset one of the two",
                   {}};
    return parse_endpoint_url(endpoint_url);
  }
  if (region.empty())
    return Error{ErrorKind::invalid, "no AWS region is set: set it in the configuration or in AWS_REGION", {}};
  if (!is_aws_region(region))
    return Error{ErrorKind::invalid, "'" + std::string(region) + "' is not the name of an AWS region", {}};
  const Partition& partition = partition_of(region);
  if (variant.fips && service == "s3" && !partition.s3_has_fips)
    return Error{ErrorKind::invalid, "S3 has no FIPS endpoint in region " + std::string(region), {}};
  return AwsEndpoint{"https", host_of(service, region, partition, variant), "", false};
}

}  // namespace repoupdate
