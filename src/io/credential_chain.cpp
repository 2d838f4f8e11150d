// SPDX-License-Identifier: Apache-2.0
#include "io/credential_chain.hpp"

#include "io/metadata_credentials.hpp"
#include "io/profile_credentials.hpp"

namespace repoupdate {
namespace {

Error none_found(const AwsProfile& profile, const std::string& instance) {
  return {ErrorKind::denied,
          "no AWS credentials: AWS_ACCESS_KEY_ID and AWS_WEB_IDENTITY_TOKEN_FILE are not set; profile '" +
              profile.name + "' has none in '" + profile.files.credentials_path + "' or '" + profile.files.config_path +
              "'; AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; instance metadata: " + instance,
          {}};
}

}  // namespace

Result<Credentials> find_credentials(const CredentialSearch& search) {
  if (search.profile.empty()) {
    auto found = environment_keys(search.environment);
    if (!found) return found.error();
    if (*found) return **std::move(found);
  }
  const auto profile = load_aws_profile(search.environment, search.profile);
  if (!profile) return profile.error();
  auto found = profile_credentials(search, *profile);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  if (profile->chosen)
    return Error{ErrorKind::denied,
                 "AWS profile '" + profile->name + "' has no credentials in '" + profile->files.credentials_path +
                     "' or '" + profile->files.config_path + "'",
                 {}};
  found = container_credentials(search.http, search.environment, search.stop);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  auto instance = instance_credentials(search.http, search.environment, search.stop);
  if (!instance) return std::move(instance).error();
  if (!instance->found) return none_found(*profile, instance->none.message);
  return *std::move(instance->found);
}

}  // namespace repoupdate
