// SPDX-License-Identifier: Apache-2.0
#include "io/profile_credentials.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "io/credentials_answer.hpp"
#include "io/metadata_credentials.hpp"
#include "io/process_credentials.hpp"
#include "io/sso_credentials.hpp"
#include "io/sts_credentials.hpp"

namespace repoupdate {
namespace {

Error invalid(const std::string& message) {
  return {ErrorKind::invalid, message, {}};
}

FoundCredentials found(Result<Credentials> credentials) {
  if (!credentials) return std::move(credentials).error();
  return std::optional(*std::move(credentials));
}

FoundCredentials keys_of(const std::map<std::string, std::string>& entries, const std::string& file) {
  const auto text = [&entries](const char* name) {
    const auto at = entries.find(name);
    return at == entries.end() ? std::string() : at->second;
  };
  Credentials keys{text("aws_access_key_id"), text("aws_secret_access_key"), text("aws_session_token"), std::nullopt};
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::optional<Credentials>();
  if (keys.access_key_id.empty() || keys.secret_access_key.empty())
    return invalid("'" + file + "' needs both aws_access_key_id and aws_secret_access_key");
  return std::optional(std::move(keys));
}

// One search, from the profile in use down to the ones that it builds upon.
class ProfileSearch {
public:
  ProfileSearch(const CredentialSearch& search, const AwsProfile& profile)
      : m_search(search), m_profile(profile), m_context("AWS profile '" + profile.name + "'") {}

  FoundCredentials find(const AwsProfileEntries& entries);

private:
  bool is_first() const { return m_visited.size() == 1; }
  FoundCredentials find_without_context(const AwsProfileEntries& entries);
  FoundCredentials assume_role_of(const AwsProfileEntries& entries);
  Result<Credentials> source_of(const AwsProfileEntries& entries);
  Result<Credentials> instance_source() const;
  Result<Credentials> source_profile(const AwsProfileEntries& entries);
  FoundCredentials web_identity(const AssumedRole& role, const std::string& token_file);
  FoundCredentials single_sign_on(const AwsProfileEntries& entries);
  FoundCredentials keys_or_process(const AwsProfileEntries& entries);
  Result<StsService> sts() const;
  AwsEndpointVariant variant() const { return m_search.options.variant.value_or(m_profile.variant); }

  const CredentialSearch& m_search;
  const AwsProfile& m_profile;
  std::string m_context;               // of errors
  std::vector<std::string> m_visited;  // the names of profiles, each the next one's user
};

bool has_keys(const AwsProfileEntries& entries) {
  return entries.has("aws_access_key_id") || entries.has("aws_secret_access_key");
}

AssumedRole role_of(const AwsProfileEntries& entries) {
  return {entries.get("role_arn"), entries.get("role_session_name"), entries.get("external_id"),
          entries.get("duration_seconds")};
}

Result<StsService> ProfileSearch::sts() const {
  std::string region = m_search.options.region.empty() ? m_profile.region : m_search.options.region;
  if (region.empty()) region = k_default_region;
  auto endpoint = aws_endpoint("sts", region, m_profile.sts_endpoint_url, variant());
  if (!endpoint) return std::move(endpoint).error().within("STS");
  return StsService{m_search.http, m_search.clock, *std::move(endpoint), std::move(region), m_search.stop};
}

FoundCredentials ProfileSearch::find(const AwsProfileEntries& entries) {
  const bool is_source = !m_visited.empty();
  m_visited.push_back(entries.name);
  auto credentials = find_without_context(entries);
  if (credentials || is_source) return credentials;
  return std::move(credentials).error().within(m_context);
}

FoundCredentials ProfileSearch::find_without_context(const AwsProfileEntries& entries) {
  const std::string token_file = entries.get("web_identity_token_file");
  // A profile's own keys make it a source, even where it has a role for whoever uses it directly.
  const bool is_source_by_keys = !is_first() && has_keys(entries);
  if (entries.has("role_arn") && token_file.empty() && !is_source_by_keys) return assume_role_of(entries);

  const Environment& environment = m_search.environment;
  const std::string own_token_file = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
  if (is_first() && m_search.profile.empty() && !own_token_file.empty()) {
    m_context = "AWS_WEB_IDENTITY_TOKEN_FILE";
    return web_identity({environment("AWS_ROLE_ARN"), environment("AWS_ROLE_SESSION_NAME"), {}, {}}, own_token_file);
  }
  if (!token_file.empty()) return web_identity(role_of(entries), token_file);

  if (entries.has("sso_account_id") || entries.has("sso_role_name")) return single_sign_on(entries);
  return keys_or_process(entries);
}

FoundCredentials ProfileSearch::keys_or_process(const AwsProfileEntries& entries) {
  auto keys = keys_of(entries.credentials, m_profile.files.credentials_path);
  if (!keys || *keys) return keys;
  if (const std::string command = entries.get("credential_process"); !command.empty())
    return found(process_credentials(command, m_search.clock.now(), m_search.stop));
  keys = keys_of(entries.config, m_profile.files.config_path);
  if (keys && !*keys && entries.has("login_session"))
    return Error{
        ErrorKind::unsupported, "'login_session' is not supported: use single sign-on, access keys or a role", {}};
  return keys;
}

FoundCredentials ProfileSearch::assume_role_of(const AwsProfileEntries& entries) {
  if (entries.has("mfa_serial"))
    return Error{ErrorKind::unsupported,
                 "'mfa_serial' is set, and nobody is here to type a code: let the role be assumed without one, or put "
                 "temporary keys of the role into the environment",
                 {}};
  const auto source = source_of(entries);
  if (!source) return source.error();
  const auto service = sts();
  if (!service) return service.error();
  return found(assume_role(*service, role_of(entries), *source));
}

Result<Credentials> ProfileSearch::source_of(const AwsProfileEntries& entries) {
  const std::string source = entries.get("credential_source");
  if (source.empty() != entries.has("source_profile"))
    return invalid("'role_arn' needs one of source_profile, credential_source and web_identity_token_file");
  if (source.empty()) return source_profile(entries);

  if (source == "Ec2InstanceMetadata") return instance_source();
  FoundCredentials credentials =
      invalid("credential_source '" + source + "': expected Environment, EcsContainer or Ec2InstanceMetadata");
  if (source == "Environment") credentials = environment_keys(m_search.environment);
  if (source == "EcsContainer") credentials = container_credentials(m_search.http, m_search.environment, m_search.stop);
  if (!credentials) return std::move(credentials).error();
  if (!*credentials)
    return Error{ErrorKind::denied, "credential_source '" + source + "': there are no credentials of this kind", {}};
  return **std::move(credentials);
}

Result<Credentials> ProfileSearch::instance_source() const {
  auto instance = instance_credentials(m_search.http, m_search.environment, m_search.stop);
  if (!instance) return std::move(instance).error();
  if (instance->found) return *std::move(instance->found);
  Error error = std::move(instance->none).within("credential_source 'Ec2InstanceMetadata'");
  // A service without session tokens; it says nothing about an object of a store.
  if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::denied;
  return error;
}

Result<Credentials> ProfileSearch::source_profile(const AwsProfileEntries& entries) {
  const std::string name = entries.get("source_profile");
  const auto source = find_aws_profile(m_profile.files, name);
  if (!source)
    return invalid("source_profile '" + name + "' is neither in '" + m_profile.files.config_path + "' nor in '" +
                   m_profile.files.credentials_path + "'");
  // A profile may hold both the keys and the role that is assumed with them.
  const bool is_own_source = name == entries.name && has_keys(*source);
  const bool is_loop = std::find(m_visited.begin(), m_visited.end(), name) != m_visited.end();
  if ((is_loop && !is_own_source) || m_visited.size() >= k_max_role_chain) {
    std::string path;
    for (const std::string& visited : m_visited) path += "'" + visited + "' -> ";
    return invalid("the chain of source_profile has a loop, or is too long: " + path + "'" + name + "'");
  }
  auto credentials = find(*source);
  if (!credentials) return std::move(credentials).error().within("source_profile '" + name + "'");
  if (!*credentials) return Error{ErrorKind::denied, "source_profile '" + name + "' has no credentials", {}};
  return **std::move(credentials);
}

FoundCredentials ProfileSearch::web_identity(const AssumedRole& role, const std::string& token_file) {
  if (role.arn.empty()) return invalid("a web identity's token is there, but no role: set AWS_ROLE_ARN or role_arn");
  const auto token = read_token_file(token_file);
  if (!token) return Error{ErrorKind::denied, "the token's file '" + token_file + "' cannot be read", {}};
  const auto service = sts();
  if (!service) return service.error();
  return found(assume_role_with_web_identity(*service, role, *token));
}

FoundCredentials ProfileSearch::single_sign_on(const AwsProfileEntries& entries) {
  AwsProfileEntries session = entries;
  const std::string session_name = entries.get("sso_session");
  if (!session_name.empty()) {
    const auto section = m_profile.files.config.find("sso-session " + session_name);
    if (section == m_profile.files.config.end())
      return invalid("sso_session '" + session_name + "' is not in '" + m_profile.files.config_path + "'");
    session = {session_name, section->second, {}};
  }
  for (const char* name : {"sso_account_id", "sso_role_name"})
    if (!entries.has(name)) return invalid(std::string("single sign-on needs '") + name + "'");
  for (const char* name : {"sso_start_url", "sso_region"})
    if (!session.has(name)) return invalid(std::string("single sign-on needs '") + name + "'");

  const std::string home = m_search.environment("HOME");
  if (home.empty()) return invalid("HOME is not set: the token of single sign-on is kept below it");
  const SsoRole role{entries.get("sso_account_id"), entries.get("sso_role_name"),
                     session_name.empty() ? session.get("sso_start_url") : session_name};
  const auto token = read_sso_token(sso_token_file(home + "/.aws/sso/cache", role), m_search.clock.now());
  if (!token) return token.error();
  const auto portal = aws_endpoint("portal.sso", session.get("sso_region"), m_profile.sso_endpoint_url, variant());
  if (!portal) return portal.error();
  return found(sso_credentials(m_search.http, *portal, role, *token, m_search.stop));
}

}  // namespace

FoundCredentials environment_keys(const Environment& environment) {
  Credentials keys{environment("AWS_ACCESS_KEY_ID"), environment("AWS_SECRET_ACCESS_KEY"),
                   environment("AWS_SESSION_TOKEN"), std::nullopt};
  if (keys.access_key_id.empty() && keys.secret_access_key.empty()) return std::optional<Credentials>();
  if (keys.access_key_id.empty() || keys.secret_access_key.empty())
    return invalid("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set together");
  return std::optional(std::move(keys));
}

FoundCredentials profile_credentials(const CredentialSearch& search, const AwsProfile& profile) {
  return ProfileSearch(search, profile).find(profile.entries);
}

}  // namespace repoupdate
