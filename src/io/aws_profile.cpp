// SPDX-License-Identifier: Apache-2.0
#include "io/aws_profile.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <system_error>

#include "io/child_process.hpp"

namespace repoupdate {
namespace {

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The AWS CLI writes a name that is no plain word in quotes: [profile 'my build'].
std::optional<std::string> quoted_section_name(std::string_view header) {
  if (header.find_first_of("'\"") == std::string_view::npos) return std::nullopt;
  const auto words = split_command(header);
  const bool is_named =
      words && words->size() == 2 &&
      (words->front() == "profile" || words->front() == "sso-session" || words->front() == "services");
  return is_named ? std::optional(words->front() + ' ' + words->back()) : std::nullopt;
}

std::string section_name(std::string_view header) {
  if (auto quoted = quoted_section_name(header)) return *std::move(quoted);
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
AwsConfigFile::const_iterator find_in_config(const AwsConfigFile& file, const std::string& name) {
  const auto found = file.find("profile " + name);
  return found == file.end() && name == "default" ? file.find(name) : found;
}

Result<AwsFiles> read_aws_files(const Environment& environment) {
  const std::string home = environment("HOME");
  const std::string folder = home.empty() ? "" : home + "/.aws/";
  AwsFiles files;
  files.config_path = first_of({environment("AWS_CONFIG_FILE"), folder.empty() ? "" : folder + "config"});
  files.credentials_path =
      first_of({environment("AWS_SHARED_CREDENTIALS_FILE"), folder.empty() ? "" : folder + "credentials"});
  auto config = read_aws_config(files.config_path);
  if (!config) return config.error();
  auto credentials = read_aws_config(files.credentials_path);
  if (!credentials) return credentials.error();
  files.config = *std::move(config);
  files.credentials = *std::move(credentials);
  return files;
}

void resolve_endpoints(AwsProfile& profile, const Environment& environment) {
  if (is_aws_true(first_of({environment("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
                            profile.entries.get("ignore_configured_endpoint_urls")})))
    return;
  AwsProfileEntries services;
  if (const auto found = profile.files.config.find("services " + profile.entries.get("services"));
      found != profile.files.config.end())
    services.config = found->second;
  const auto url = [&](const std::string& variable, const std::string& service) {
    return first_of({environment("AWS_ENDPOINT_URL_" + variable), environment("AWS_ENDPOINT_URL"),
                     services.get(service + ".endpoint_url"), profile.entries.get("endpoint_url")});
  };
  profile.s3_endpoint_url = url("S3", "s3");
  profile.sqs_endpoint_url = url("SQS", "sqs");
  profile.sts_endpoint_url = url("STS", "sts");
  profile.sso_endpoint_url = url("SSO", "sso");
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
  std::string parent;  // the last entry that is not nested itself
  std::size_t parent_indent = 0;
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
    const std::size_t indent = line.find_first_not_of(" \t");
    if (!parent.empty() && indent > parent_indent) {
      key.insert(0, parent + '.');
    } else {
      parent = key;
      parent_indent = indent;
    }
    (*section)[key] = trim(content.substr(equals + 1));
  }
  return file;
}

std::string AwsProfileEntries::get(const std::string& entry) const {
  for (const auto* entries : {&credentials, &config})
    if (const auto found = entries->find(entry); found != entries->end()) return found->second;
  return {};
}

std::optional<AwsProfileEntries> find_aws_profile(const AwsFiles& files, const std::string& name) {
  const auto config = find_in_config(files.config, name);
  const auto credentials = files.credentials.find(name);
  if (config == files.config.end() && credentials == files.credentials.end()) return std::nullopt;
  AwsProfileEntries profile{name, {}, {}};
  if (config != files.config.end()) profile.config = config->second;
  if (credentials != files.credentials.end()) profile.credentials = credentials->second;
  return profile;
}

Result<AwsProfile> load_aws_profile(const Environment& environment, const std::string& profile_setting) {
  auto files = read_aws_files(environment);
  if (!files) return files.error();
  AwsProfile profile;
  profile.files = *std::move(files);
  const std::string name = first_of({profile_setting, environment("AWS_PROFILE"), environment("AWS_DEFAULT_PROFILE")});
  profile.chosen = !name.empty();
  profile.name = profile.chosen ? name : "default";
  auto entries = find_aws_profile(profile.files, profile.name);
  if (!entries && profile.chosen && profile.name != "default")
    return Error{ErrorKind::invalid,
                 "AWS profile '" + profile.name + "' is neither in '" + profile.files.config_path + "' nor in '" +
                     profile.files.credentials_path + "'",
                 {}};

  profile.entries = entries ? *std::move(entries) : AwsProfileEntries{profile.name, {}, {}};
  const auto with_fallback = [&](const std::string& variable, const std::string& entry) {
    return first_of({environment(variable), profile.entries.get(entry)});
  };
  profile.region = first_of({environment("AWS_REGION"), with_fallback("AWS_DEFAULT_REGION", "region")});
  profile.ca_bundle = with_fallback("AWS_CA_BUNDLE", "ca_bundle");
  profile.addressing = profile.entries.get("s3.addressing_style");
  profile.variant.dual_stack = is_aws_true(with_fallback("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"));
  profile.variant.fips = is_aws_true(with_fallback("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"));
  resolve_endpoints(profile, environment);
  return profile;
}

bool is_aws_true(std::string_view text) {
  constexpr std::string_view k_true = "true";
  return text.size() == k_true.size() && std::equal(text.begin(), text.end(), k_true.begin(), [](char a, char b) {
           return (a | 0x20) == b;  // lower case, where it is a letter
         });
}

}  // namespace repoupdate
