// SPDX-License-Identifier: Apache-2.0
// Temporary credentials from the endpoint that ECS and EKS give a container, and from the metadata service of
// an EC2 instance (version 2, with a session token).
// Source: "Container credential provider" and "IMDS credential provider", AWS SDKs and Tools Reference Guide.
#pragma once

#include <optional>

#include "base/result.hpp"
#include "io/aws_profile.hpp"
#include "io/http_client.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Nothing when the environment names no container endpoint (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI).
// ErrorKind::invalid for a plain http endpoint that is neither this machine's nor link-local: it would get the
// authorization token.
Result<std::optional<Credentials>> container_credentials(HttpClient& http, const Environment& environment);

// Nothing when AWS_EC2_METADATA_DISABLED is "true". ErrorKind::unavailable, timed_out or not_found when no such
// service answers or the instance has no role.
Result<std::optional<Credentials>> instance_credentials(HttpClient& http, const Environment& environment);

}  // namespace repoupdate
