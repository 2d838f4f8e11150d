// SPDX-License-Identifier: Apache-2.0
// Settings from a TOML file, then the environment, then flags.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/settings.hpp"
#include "base/result.hpp"

namespace repoupdate {

inline constexpr std::string_view k_default_config = "/etc/repoupdate/repoupdate.toml";
inline constexpr std::uintmax_t k_max_config_size = 4 << 20;

// A value given on the command line: section "aws", "log", "daemon", "cache" or "defaults", a key of it, and its text.
struct FlagValue {
  std::string section;
  std::string key;
  std::string text;
};

struct SettingsSources {
  std::string config;  // path; empty: k_default_config if that exists
  // Reads one variable, "" when it is not set. REPOUPDATE_<SECTION>_<KEY>, as in REPOUPDATE_LOG_FORMAT=json, for
  // sections aws, log, daemon, webhook, metrics, cache and defaults.
  std::function<std::string(const std::string&)> environment;
  std::vector<FlagValue> flags;
};

// Later sources win: [defaults] < environment < what a [[repository]] says itself < flags.
// ErrorKind::invalid as "FILE:LINE: key ..." for unknown sections and keys, values of the wrong type or out of
// range, and a repository that is configured twice; not_found for a named file that is not there.
Result<Settings> read_settings(const SettingsSources& sources);

// The same from the text of a file; `name` is for messages.
Result<Settings> read_settings_text(std::string_view toml, const std::string& name, const SettingsSources& sources);

// Of the names of variables those that look like settings and are none: they are misspelt.
std::vector<std::string> unknown_variables(std::span<const std::string> names);

// A TOML file that says the same, with a comment on each key.
std::string to_toml(const Settings& settings);

}  // namespace repoupdate
