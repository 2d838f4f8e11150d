// SPDX-License-Identifier: Apache-2.0
#include "io/credentials.hpp"

#include <algorithm>
#include <array>
#include <mutex>

#include "io/metadata_credentials.hpp"

namespace repoupdate {
namespace {

// Temporary credentials are renewed this long before their end, as the AWS SDKs do.
constexpr std::chrono::seconds k_renew_before = std::chrono::minutes(15);
// Between two renewals, also when one failed while the old ones are still good.
constexpr std::chrono::seconds k_renew_again_after = std::chrono::minutes(1);

using Found = Result<std::optional<Credentials>>;

// Entries that say how to get credentials by a way that is not built. These go before the profile's own keys.
constexpr std::array<const char*, 6> k_unsupported_before_keys = {
    "role_arn", "web_identity_token_file", "sso_session", "sso_start_url", "sso_account_id", "login_session"};

Error unsupported(const AwsProfile& profile, const std::string& name) {
  return {ErrorKind::unsupported,
          "AWS profile '" + profile.name + "' has '" + name +
              "', which is not supported: give access keys, or let the machine or container have a role",
          {}};
}

Found keys_of(const AwsProfile& profile, const std::map<std::string, std::string>& entries, const std::string& file) {
  const auto text = [&entries](const char* name) {
    const auto found = entries.find(name);
    return found == entries.end() ? std::string() : found->second;
  };
  Credentials keys{text("aws_access_key_id"), text("aws_secret_access_key"), text("aws_session_token"), std::nullopt};
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::optional<Credentials>();
  if (keys.access_key_id.empty() || keys.secret_access_key.empty())
    return Error{ErrorKind::invalid,
                 file + ": profile '" + profile.name + "' needs both aws_access_key_id and aws_secret_access_key",
                 {}};
  return std::optional(std::move(keys));
}

Found profile_credentials(const AwsProfile& profile) {
  for (const char* name : k_unsupported_before_keys)
    if (profile.config.contains(name) || profile.credentials.contains(name)) return unsupported(profile, name);
  auto keys = keys_of(profile, profile.credentials, profile.credentials_file);
  if (!keys || *keys) return keys;
  if (profile.config.contains("credential_process") || profile.credentials.contains("credential_process"))
    return unsupported(profile, "credential_process");
  return keys_of(profile, profile.config, profile.config_file);
}

Found environment_credentials(const Environment& environment) {
  Credentials keys{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                   environment("AWS_SESSION_TOKEN"), std::nullopt};
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) {
    if (environment("AWS_WEB_IDENTITY_TOKEN_FILE").empty()) return std::optional<Credentials>();
    return Error{ErrorKind::unsupported,
                 "AWS_WEB_IDENTITY_TOKEN_FILE is set, but a web identity is not supported: give access keys, or let "
                 "the machine or container have a role",
                 {}};
  }
  if (keys.access_key_id.empty() || keys.secret_access_key.empty())
    return Error{ErrorKind::invalid, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together", {}};
  return std::optional(std::move(keys));
}

Error none_found(const AwsProfile& profile, const std::string& instance) {
  return {ErrorKind::denied,
          "no AWS credentials: AWS_ACCESS_KEY_ID is not set; profile '" + profile.name + "' has no keys in '" +
              profile.credentials_file + "' or '" + profile.config_file +
              "'; AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set; instance metadata: " + instance,
          {}};
}

Result<Credentials> find_credentials(const Environment& environment, const std::string& profile_setting,
                                     HttpClient& http) {
  if (profile_setting.empty()) {
    auto found = environment_credentials(environment);
    if (!found) return found.error();
    if (*found) return **std::move(found);
  }
  auto profile = load_aws_profile(environment, profile_setting);
  if (!profile) return profile.error();
  auto found = profile_credentials(*profile);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  if (profile->chosen)
    return Error{ErrorKind::denied,
                 "AWS profile '" + profile->name + "' has no keys in '" + profile->credentials_file + "' or '" +
                     profile->config_file + "'",
                 {}};
  found = container_credentials(http, environment);
  if (!found) return found.error();
  if (*found) return **std::move(found);
  found = instance_credentials(http, environment);
  if (!found) return none_found(*profile, found.error().message);
  if (!*found) return none_found(*profile, "switched off by AWS_EC2_METADATA_DISABLED");
  return **std::move(found);
}

}  // namespace

struct CredentialsProvider::State {
  State(Environment environment_in, std::string profile_in, HttpClient& http_in, Clock& clock_in)
      : environment(std::move(environment_in)), profile(std::move(profile_in)), http(http_in), clock(clock_in) {}

  const Environment environment;
  const std::string profile;
  HttpClient& http;
  Clock& clock;

  std::mutex mutex;  // held while new credentials are fetched: one fetch for all threads
  std::optional<Credentials> current;
  SystemTime renew_at{};  // only where the current ones expire
};

CredentialsProvider::CredentialsProvider(Environment environment, std::string profile, HttpClient& http, Clock& clock)
    : m_state(std::make_unique<State>(std::move(environment), std::move(profile), http, clock)) {}

CredentialsProvider::~CredentialsProvider() = default;

Result<Credentials> CredentialsProvider::get() {
  State& state = *m_state;
  const std::scoped_lock lock(state.mutex);
  const SystemTime now = state.clock.now();
  if (state.current && (!state.current->expires || now < state.renew_at)) return *state.current;

  auto found = find_credentials(state.environment, state.profile, state.http);
  if (found) {
    state.current = *found;
    // What lives less than that is not fetched for every request either.
    if (found->expires)
      state.renew_at = std::max(*found->expires - k_renew_before, std::min(now + k_renew_again_after, *found->expires));
    return found;
  }
  if (!state.current || now >= *state.current->expires) return found;
  state.renew_at = now + k_renew_again_after;
  return *state.current;
}

void CredentialsProvider::expire(const Credentials& used) {
  const std::scoped_lock lock(m_state->mutex);
  if (m_state->current && m_state->current->access_key_id == used.access_key_id &&
      m_state->current->session_token == used.session_token)
    m_state->current.reset();
}

}  // namespace repoupdate
