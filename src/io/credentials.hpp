// SPDX-License-Identifier: Apache-2.0
// Where AWS credentials come from, in the order of the AWS SDKs.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Reads one environment variable; "" when it is not set. Passed in so that tests need not change the process.
using Environment = std::function<std::string(const std::string& name)>;

// What the shared config files and the environment say about one profile.
struct AwsProfile {
  std::string name;             // "default" unless AWS_PROFILE or the settings say otherwise
  std::string region;           // AWS_REGION, AWS_DEFAULT_REGION, then the profile's; may be empty
  std::string endpoint_url;     // AWS_ENDPOINT_URL, then the profile's; may be empty
  std::string s3_endpoint_url;  // AWS_ENDPOINT_URL_S3 goes first; may be empty
  std::string sqs_endpoint_url;
  std::string ca_bundle;        // AWS_CA_BUNDLE, then the profile's
};
Result<AwsProfile> load_aws_profile(const Environment& environment, const std::string& profile_setting);

// Gives credentials that are good for a few minutes at least; refreshes them before they expire, once for all
// threads. Sources: environment, shared credentials and config files, container endpoint, IMDSv2.
class CredentialsProvider {
public:
  CredentialsProvider(Environment environment, std::string profile, HttpClient& http, Clock& clock);
  ~CredentialsProvider();

  // ErrorKind::denied, naming every source that was looked at, when there are none. Never names a secret.
  Result<Credentials> get();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
