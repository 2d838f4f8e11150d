// SPDX-License-Identifier: Apache-2.0
// The order in which the sources of AWS credentials are asked, once; CredentialsProvider remembers what they gave.
// Sources: "Standardized credential providers" and "Assume role credential provider", AWS SDKs and Tools Reference
// Guide.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_endpoint.hpp"
#include "io/aws_profile.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Where STS and single sign-on are asked.
struct CredentialsOptions {
  std::string region;                         // of STS; empty: the environment's or the profile's, else us-east-1
  std::optional<AwsEndpointVariant> variant;  // none: the environment's or the profile's
};

// What a search may use. All of it must outlive the search.
struct CredentialSearch {
  const Environment& environment;
  HttpClient& http;
  Clock& clock;
  const std::string& profile;  // the settings'; empty: AWS_PROFILE, AWS_DEFAULT_PROFILE, "default"
  const CredentialsOptions& options;
  std::stop_token stop;  // ends it with ErrorKind::cancelled
};

inline constexpr std::size_t k_max_role_chain = 10;  // profiles, of which each is the next one's source

// 1. the environment's keys, unless the settings name a profile;
// 2. the profile's role_arn with source_profile or credential_source;
// 3. the environment's web identity, unless the settings name a profile, then the profile's;
// 4. the profile's single sign-on, its keys in the credentials file, its credential_process, its keys in the config
//    file;
// 5. the container's endpoint, then the metadata service of the instance, unless somebody named a profile.
//
// ErrorKind::denied, naming every source, when there are none; invalid or unsupported, naming the profile and the
// entry, for one that cannot work. A source that is there and fails is the end: the next one does not stand in for it.
Result<Credentials> find_credentials(const CredentialSearch& search);

}  // namespace repoupdate
