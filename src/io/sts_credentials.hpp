// SPDX-License-Identifier: Apache-2.0
// Temporary credentials of a role, from the AWS Security Token Service.
// Source: "AssumeRole" and "AssumeRoleWithWebIdentity", AWS Security Token Service API Reference, version 2011-06-15.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_endpoint.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Where STS is. What it refers to must outlive it.
struct StsService {
  HttpClient& http;
  Clock& clock;
  AwsEndpoint endpoint;
  std::string region;  // to sign for
  std::stop_token stop{};
};

struct AssumedRole {
  std::string arn;
  std::string session_name;  // empty: "repoupdate"
  std::string external_id;   // empty: none
  std::string duration;      // seconds in digits, 900 to 43200; empty: the service's default of an hour
};

// A request signed with `source`. Failures are the service's own, named as aws_error() does; a clock that it finds
// wrong is corrected by its Date, once. ErrorKind::invalid for a duration out of range, corrupt for an answer that is
// none. No message holds a secret.
Result<Credentials> assume_role(const StsService& sts, const AssumedRole& role, const Credentials& source);

// The same without a signature: `token` (of OpenID Connect) says who we are. The external id is not used.
Result<Credentials> assume_role_with_web_identity(const StsService& sts, const AssumedRole& role,
                                                  const std::string& token);

}  // namespace repoupdate
