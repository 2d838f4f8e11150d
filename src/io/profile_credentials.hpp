// SPDX-License-Identifier: Apache-2.0
// What one profile of the shared files says about credentials, and the profiles that it builds upon.
#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "io/aws_profile.hpp"
#include "io/credential_chain.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

// Nothing: not a source that is configured.
using FoundCredentials = Result<std::optional<Credentials>>;

// The environment's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. ErrorKind::invalid for half a pair.
FoundCredentials environment_keys(const Environment& environment);

// Steps 2 to 4 of find_credentials(); `profile` is what was loaded for `search`. Errors name the profile, and
// k_max_role_chain and loops of source_profile are ErrorKind::invalid.
FoundCredentials profile_credentials(const CredentialSearch& search, const AwsProfile& profile);

}  // namespace repoupdate
