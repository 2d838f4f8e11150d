// SPDX-License-Identifier: Apache-2.0
// The AWS settings that a user already has: environment variables and the shared config and credentials files.
// Source: "Shared config and credentials files", AWS SDKs and Tools Reference Guide.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

// Reads one environment variable; "" when it is not set. Passed in so that tests need not change the process.
using Environment = std::function<std::string(const std::string& name)>;
Environment process_environment();

// Section -> entry -> value. A nested entry ("s3 =" and below it, indented, "endpoint_url = x") is called
// "s3.endpoint_url"; spaces inside a section's name are one space.
using AwsConfigFile = std::map<std::string, std::map<std::string, std::string>>;

inline constexpr std::uint64_t k_max_aws_config_file = 1 << 20;

// ErrorKind::invalid with the line's number, never its text, for a line that is neither a section, an entry, a
// comment nor blank. `name` is for messages.
Result<AwsConfigFile> parse_aws_config(std::string_view text, std::string_view name);

// What the environment and the files say about one profile. Holds secrets: never print the entries.
struct AwsProfile {
  std::string name;              // the setting, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"
  bool chosen = false;           // somebody named it: no other source may stand in for it
  std::string region;            // AWS_REGION, AWS_DEFAULT_REGION, then the profile's; may be empty
  std::string endpoint_url;      // AWS_ENDPOINT_URL, then the profile's; may be empty
  std::string s3_endpoint_url;   // AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile's services, endpoint_url
  std::string sqs_endpoint_url;  // the same with AWS_ENDPOINT_URL_SQS
  std::string ca_bundle;         // AWS_CA_BUNDLE, then the profile's; may be empty
  std::string config_file;       // the paths that were read, whether or not they exist
  std::string credentials_file;
  std::map<std::string, std::string> config;       // the profile's entries in the config file
  std::map<std::string, std::string> credentials;  // and in the credentials file
};

// ErrorKind::invalid when a chosen profile is in neither file, or a file is malformed; denied or io when a file
// cannot be read. Files that do not exist are empty.
Result<AwsProfile> load_aws_profile(const Environment& environment, const std::string& profile_setting);

}  // namespace repoupdate
