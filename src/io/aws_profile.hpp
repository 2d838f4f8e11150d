// SPDX-License-Identifier: Apache-2.0
// The AWS settings that a user already has: environment variables and the shared config and credentials files.
// Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "io/aws_endpoint.hpp"

namespace repoupdate {

// Reads one environment variable; "" when it is not set. Passed in so that tests need not change the process.
using Environment = std::function<std::string(const std::string& name)>;
Environment process_environment();

// Section -> entry -> value. A nested entry ("s3 =" and below it, indented deeper, "endpoint_url = x") is called
// "s3.endpoint_url"; spaces inside a section's name are one space, and quotes around a profile's name are not part of
// it.
using AwsConfigFile = std::map<std::string, std::map<std::string, std::string>>;

inline constexpr std::uint64_t k_max_aws_config_file = 1 << 20;

// ErrorKind::invalid with the line's number, never its text, for a line that is neither a section, an entry, a
// comment nor blank. `name` is for messages.
Result<AwsConfigFile> parse_aws_config(std::string_view text, std::string_view name);

// Both files as they were read. Holds secrets: never print the entries.
struct AwsFiles {
  std::string config_path;  // whether or not the files exist
  std::string credentials_path;
  AwsConfigFile config;
  AwsConfigFile credentials;
};

// What the two files say about one profile, or about one [sso-session] or [services] section. Holds secrets.
struct AwsProfileEntries {
  std::string name;
  std::map<std::string, std::string> config;
  std::map<std::string, std::string> credentials;

  // "" when there is no such entry. The credentials file goes before the config file.
  std::string get(const std::string& entry) const;
  bool has(const std::string& entry) const { return !get(entry).empty(); }
};

// Nothing when neither file names it.
std::optional<AwsProfileEntries> find_aws_profile(const AwsFiles& files, const std::string& name);

// What the environment and the files say about one profile. Holds secrets: never print the entries.
struct AwsProfile {
  std::string name;            // the setting, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"
  bool chosen = false;         // somebody named it: no other source may stand in for it
  std::string region;          // AWS_REGION, AWS_DEFAULT_REGION, then the profile's; may be empty
  std::string ca_bundle;       // AWS_CA_BUNDLE, then the profile's; may be empty
  std::string addressing;      // the profile's addressing_style of s3: "path", "virtual", "auto"; may be empty
  AwsEndpointVariant variant;  // AWS_USE_DUALSTACK_ENDPOINT, AWS_USE_FIPS_ENDPOINT, then the profile's

  // AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services, its endpoint_url; and so for each service. May be
  // empty, and all are with AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile's ignore_configured_endpoint_urls.
  std::string s3_endpoint_url;
  std::string sqs_endpoint_url;
  std::string sts_endpoint_url;
  std::string sso_endpoint_url;

  AwsProfileEntries entries;
  AwsFiles files;
};

// ErrorKind::invalid when a chosen profile is in neither file, or a file is malformed; denied or io when a file
// cannot be read. Files that do not exist are empty.
Result<AwsProfile> load_aws_profile(const Environment& environment, const std::string& profile_setting);

// "true" in any case, as the AWS SDKs read a switch.
bool is_aws_true(std::string_view text);

}  // namespace repoupdate
