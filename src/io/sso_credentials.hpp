// SPDX-License-Identifier: Apache-2.0
// Temporary credentials by single sign-on (IAM Identity Center), with the token that `aws sso login` leaves behind.
// Source: "IAM Identity Center credential provider", AWS SDKs and Tools Reference Guide; "GetRoleCredentials", IAM
// Identity Center Portal API Reference.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_endpoint.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

struct SsoRole {
  std::string account_id;
  std::string name;
  std::string token_name;  // the session's name, or the start URL where there is no session: names the token's file
};

// "DIRECTORY/<SHA-1 of the token's name>.json", where the AWS CLI keeps the token.
std::string sso_token_file(const std::string& directory, const SsoRole& role);

// The token, while it is good. ErrorKind::denied, saying which command brings a new one, when the file is missing,
// malformed or its token expired. The token is not renewed here.
Result<std::string> read_sso_token(const std::string& path, SystemTime now);

// ErrorKind::denied when the portal does not take the token any longer. `endpoint` is the portal's.
Result<Credentials> sso_credentials(HttpClient& http, const AwsEndpoint& endpoint, const SsoRole& role,
                                    const std::string& token, std::stop_token stop = {});

}  // namespace repoupdate
