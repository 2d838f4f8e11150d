// SPDX-License-Identifier: Apache-2.0
// Temporary credentials from the endpoint that ECS and EKS give a container, and from the metadata service of
// an EC2 instance (version 2, with a session token).
// Source: "Container credential provider" and "IMDS credential provider", AWS SDKs and Tools Reference Guide.
#pragma once

#include <optional>
#include <stop_token>

#include "base/result.hpp"
#include "io/aws_profile.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// What a container's endpoint is asked: at 169.254.170.2 for AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, else at _FULL_URI,
// with AWS_CONTAINER_AUTHORIZATION_TOKEN or what the file of ..._TOKEN_FILE says by now. Nothing when the environment
// names neither. ErrorKind::invalid for a plain http endpoint that is neither this machine's nor link-local: it would
// get the token.
Result<std::optional<HttpRequest>> container_request(const Environment& environment);

// Nothing where container_request() is nothing.
Result<std::optional<Credentials>> container_credentials(HttpClient& http, const Environment& environment,
                                                         std::stop_token stop = {});

struct InstanceCredentials {
  std::optional<Credentials> found;
  Error none;  // why there are none, where there are none
};

// There are none when AWS_EC2_METADATA_DISABLED is "true", no service gives a session token (version 1, without one, is
// never asked), or the instance has no role. A service that gave its token is there, and so is one that answers that it
// cannot now: that, and what fails after the token, is an Error of its own kind. AWS_EC2_METADATA_SERVICE_ENDPOINT, or
// ..._ENDPOINT_MODE=IPv6, say where it is when not at 169.254.169.254.
Result<InstanceCredentials> instance_credentials(HttpClient& http, const Environment& environment,
                                                 std::stop_token stop = {});

}  // namespace repoupdate
