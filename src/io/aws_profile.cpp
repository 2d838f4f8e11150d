// SPDX-License-Identifier: Apache-2.0
#include "io/aws_profile.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <system_error>

namespace repoupdate {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

std::string section_name(std::string_view header) {
  std::string name;
  for (const char c : trim(header)) {
    const char plain = c == '\t' ? ' ' : c;
    if (plain != ' ' || !name.ends_with(' ')) name += plain;
  }
  return name;
}

std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values)
    if (!value.empty()) return value;
  return {};
}

std::string entry(const std::map<std::string, std::string>& entries, const std::string& name) {
  const auto found = entries.find(name);
  return found == entries.end() ? std::string() : found->second;
}

Result<AwsConfigFile> read_aws_config(const std::string& path) {
  if (path.empty()) return AwsConfigFile{};
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    const int cause = errno;
    if (cause == ENOENT || cause == ENOTDIR) return AwsConfigFile{};
    return Error{
        cause == EACCES ? ErrorKind::denied : ErrorKind::io, path + ": " + std::generic_category().message(cause), {}};
  }
  std::string text(k_max_aws_config_file + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Error{ErrorKind::io, path + ": cannot be read", {}};
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > k_max_aws_config_file)
    return Error{ErrorKind::invalid, path + ": larger than an AWS configuration file can be", {}};
  return parse_aws_config(text, path);
}

// The config file writes "[profile NAME]", but "[default]"; the credentials file always "[NAME]".
std::map<std::string, std::string> config_section(const AwsConfigFile& file, const std::string& name) {
  auto found = file.find("profile " + name);
  if (found == file.end() && name == "default") found = file.find(name);
  return found == file.end() ? std::map<std::string, std::string>() : found->second;
}

void resolve_endpoints(AwsProfile& profile, const AwsConfigFile& config, const Environment& environment) {
  if (environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") == "true") return;
  std::map<std::string, std::string> services;
  if (const auto found = config.find("services " + entry(profile.config, "services")); found != config.end())
    services = found->second;
  const std::string for_all = environment("AWS_ENDPOINT_URL");
  profile.endpoint_url = first_of({for_all, entry(profile.config, "endpoint_url")});
  profile.s3_endpoint_url =
      first_of({environment("AWS_ENDPOINT_URL_S3"), for_all, entry(services, "s3.endpoint_url"), profile.endpoint_url});
  profile.sqs_endpoint_url = first_of(
      {environment("AWS_ENDPOINT_URL_SQS"), for_all, entry(services, "sqs.endpoint_url"), profile.endpoint_url});
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return std::string(value != nullptr ? value : "");
  };
}

Result<AwsConfigFile> parse_aws_config(std::string_view text, std::string_view name) {
  AwsConfigFile file;
  std::map<std::string, std::string>* section = nullptr;
  std::string parent;  // the last entry that was not indented
  std::size_t number = 0;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    ++number;
    const std::string_view content = trim(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') continue;
    if (content.front() == '[' && content.find(']') != std::string_view::npos) {
      section = &file[section_name(content.substr(1, content.find(']') - 1))];
      parent.clear();
      continue;
    }
    const std::size_t equals = content.find('=');
    if (section == nullptr || equals == std::string_view::npos || equals == 0)
      return Error{ErrorKind::invalid,
                   std::string(name) + ": line " + std::to_string(number) + " is neither a [section] nor an entry",
                   {}};
    std::string key(trim(content.substr(0, equals)));
    const bool nested = (line.front() == ' ' || line.front() == '\t') && !parent.empty();
    if (nested)
      key.insert(0, parent + '.');
    else
      parent = key;
    (*section)[key] = trim(content.substr(equals + 1));
  }
  return file;
}

Result<AwsProfile> load_aws_profile(const Environment& environment, const std::string& profile_setting) {
  AwsProfile profile;
  profile.name = first_of({profile_setting, environment("AWS_PROFILE"), environment("AWS_DEFAULT_PROFILE"), "default"});
  profile.chosen = !first_of({profile_setting, environment("AWS_PROFILE"), environment("AWS_DEFAULT_PROFILE")}).empty();
  const std::string home = environment("HOME");
  const std::string folder = home.empty() ? "" : home + "/.aws/";
  profile.config_file = first_of({environment("AWS_CONFIG_FILE"), folder.empty() ? "" : folder + "config"});
  profile.credentials_file =
      first_of({environment("AWS_SHARED_CREDENTIALS_FILE"), folder.empty() ? "" : folder + "credentials"});

  auto config = read_aws_config(profile.config_file);
  if (!config) return config.error();
  auto credentials = read_aws_config(profile.credentials_file);
  if (!credentials) return credentials.error();
  const bool is_known = credentials->contains(profile.name) || config->contains("profile " + profile.name) ||
                        (profile.name == "default" && config->contains("default"));
  if (profile.chosen && !is_known && profile.name != "default")
    return Error{ErrorKind::invalid,
                 "AWS profile '" + profile.name + "' is neither in '" + profile.config_file + "' nor in '" +
                     profile.credentials_file + "'",
                 {}};

  profile.config = config_section(*config, profile.name);
  if (const auto found = credentials->find(profile.name); found != credentials->end())
    profile.credentials = found->second;
  profile.region = first_of({environment("AWS_REGION"), environment("AWS_DEFAULT_REGION"),
                             entry(profile.config, "region"), entry(profile.credentials, "region")});
  profile.ca_bundle = first_of({environment("AWS_CA_BUNDLE"), entry(profile.config, "ca_bundle")});
  resolve_endpoints(profile, *config, environment);
  return profile;
}

}  // namespace repoupdate
