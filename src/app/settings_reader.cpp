// SPDX-License-Identifier: Apache-2.0
#include "app/settings_reader.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>

#include <toml++/toml.h>

#include "model/repository_location.hpp"

namespace repoupdate {
namespace {

class TomlReader {
public:
  TomlReader(Settings& settings, std::string name) : m_settings(settings), m_name(std::move(name)) {}

  Result<void> read_shared(const toml::table& root);  // all but the lists
  Result<void> read_lists(const toml::table& root);   // [[repository]], which starts from the defaults, and [[queue]]

private:
  template <typename S>
  Result<void> section(S& target, const toml::node& node, std::string_view name);
  template <typename S>
  Result<void> sections(std::vector<S>& targets, const S& initial, const toml::node& node, std::string_view name,
                        std::string S::*required);
  Result<void> repositories_are_distinct() const;

  Error problem(const toml::node& node, const std::string& what) const {
    return {ErrorKind::invalid, m_name + ':' + std::to_string(node.source().begin.line) + ": " + what, {}};
  }

  Settings& m_settings;
  std::string m_name;
};

// The defaults have all keys of a repository but the one that says which it is.
bool is_of_section(std::string_view section, std::string_view key) {
  return section != "defaults" || key != "url";
}

std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* truth = node.as_boolean()) return truth->get() ? "true" : "false";
  return std::nullopt;
}

std::optional<std::vector<std::string>> list_of_texts(const toml::node& node) {
  const auto* array = node.as_array();
  if (!array) return std::nullopt;
  std::vector<std::string> texts;
  for (const auto& element : *array) {
    const auto* text = element.as_string();
    if (!text) return std::nullopt;
    texts.push_back(text->get());
  }
  return texts;
}

// A number where a text belongs, or a quoted "true", is a mistake even if it could be read.
template <typename S>
bool has_right_type(const Setting<S>& setting, const toml::node& node) {
  if (std::holds_alternative<bool S::*>(setting.field)) return node.is_boolean();
  if (std::holds_alternative<std::uint64_t S::*>(setting.field)) return node.is_integer();
  return node.is_string();
}

template <typename S>
Result<void> TomlReader::section(S& target, const toml::node& node, std::string_view name) {
  const auto* table = node.as_table();
  if (!table) return problem(node, "'" + std::string(name) + "' has to be a table");
  for (const auto& [key, value] : *table) {
    const auto rows = settings_of<S>();
    std::string written(key.str());
    std::ranges::replace(written, '-', '_');
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.key == written; });
    const std::string full = std::string(name) + '.' + std::string(key.str());
    if (row == rows.end() || !is_of_section(name, row->key)) return problem(value, "unknown key '" + full + "'");
    if (std::holds_alternative<std::vector<std::string> S::*>(row->field)) {
      const auto elements = list_of_texts(value);
      if (!elements) return problem(value, "key '" + full + "' has to be a list of texts, like [\"a\", \"b\"]");
      if (auto assigned = assign(target, *row, *elements); !assigned)
        return problem(value, std::string(name) + '.' + assigned.error().message);
      continue;
    }
    const auto text = scalar_text(value);
    if (!text || !has_right_type(*row, value))
      return problem(value, "key '" + full + "' has a value of the wrong type; the default is " + show(S{}, *row));
    if (auto assigned = assign(target, *row, *text); !assigned)
      return problem(value, std::string(name) + '.' + assigned.error().message);
  }
  return {};
}

template <typename S>
Result<void> TomlReader::sections(std::vector<S>& targets, const S& initial, const toml::node& node,
                                  std::string_view name, std::string S::*required) {
  const auto* list = node.as_array();
  if (!list || !list->is_array_of_tables())
    return problem(node, "'" + std::string(name) + "' has to be written as [[" + std::string(name) + "]]");
  for (const auto& element : *list) {
    S target = initial;
    if (auto read = section(target, element, name); !read) return read;
    if ((target.*required).empty())
      return problem(element, "a [[" + std::string(name) + "]] without " + (name == "queue" ? "name" : "url"));
    targets.push_back(std::move(target));
  }
  return {};
}

Result<void> TomlReader::read_shared(const toml::table& root) {
  for (const auto& [key, node] : root) {
    Result<void> done;
    if (key.str() == "aws") {
      done = section(m_settings.aws, node, "aws");
    } else if (key.str() == "log") {
      done = section(m_settings.log, node, "log");
    } else if (key.str() == "daemon") {
      done = section(m_settings.daemon, node, "daemon");
    } else if (key.str() == "webhook") {
      done = section(m_settings.webhook, node, "webhook");
    } else if (key.str() == "metrics") {
      done = section(m_settings.metrics, node, "metrics");
    } else if (key.str() == "cache") {
      done = section(m_settings.cache, node, "cache");
    } else if (key.str() == "defaults") {
      done = section(m_settings.defaults, node, "defaults");
    } else if (key.str() != "repository" && key.str() != "queue") {
      done = problem(node, "unknown section '" + std::string(key.str()) +
                               "'; known: aws, log, daemon, webhook, metrics, cache, defaults, repository, queue");
    }
    if (!done) return done;
  }
  return {};
}

Result<void> TomlReader::read_lists(const toml::table& root) {
  if (const auto* node = root.get("repository")) {
    auto done = sections(m_settings.repositories, m_settings.defaults, *node, "repository", &RepositorySettings::url);
    if (!done) return done;
  }
  if (const auto* node = root.get("queue"))
    if (auto done = sections(m_settings.queues, {}, *node, "queue", &QueueSettings::name); !done) return done;
  return repositories_are_distinct();
}

Result<void> TomlReader::repositories_are_distinct() const {
  std::set<std::string> places;
  for (const auto& repository : m_settings.repositories) {
    const auto location = parse_repository_location(repository.url);
    if (!places.insert(location ? to_string(*location) : repository.url).second)
      return Error{ErrorKind::invalid, m_name + ": repository '" + repository.url + "' is configured twice", {}};
  }
  return {};
}

constexpr std::string_view k_variable_prefix = "REPOUPDATE_";

template <typename S>
Result<void> read_environment_section(S& section, std::string_view name,
                                      const std::function<std::string(const std::string&)>& environment) {
  for (const auto& setting : settings_of<S>()) {
    std::string variable = std::string(k_variable_prefix) + std::string(name) + '_' + std::string(setting.key);
    std::transform(variable.begin(), variable.end(), variable.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const std::string text = environment(variable);
    if (text.empty()) continue;
    if (!is_of_section(name, setting.key))
      return Error{ErrorKind::invalid, "environment variable " + variable + ": there is no such setting", {}};
    if (auto assigned = assign(section, setting, text); !assigned)
      return std::move(assigned.error()).within("environment variable " + variable);
  }
  return {};
}

Result<void> read_environment(Settings& settings, const std::function<std::string(const std::string&)>& environment) {
  if (auto read = read_environment_section(settings.aws, "aws", environment); !read) return read;
  if (auto read = read_environment_section(settings.log, "log", environment); !read) return read;
  if (auto read = read_environment_section(settings.daemon, "daemon", environment); !read) return read;
  if (auto read = read_environment_section(settings.webhook, "webhook", environment); !read) return read;
  if (auto read = read_environment_section(settings.metrics, "metrics", environment); !read) return read;
  if (auto read = read_environment_section(settings.cache, "cache", environment); !read) return read;
  return read_environment_section(settings.defaults, "defaults", environment);
}

// Those that are asked for. None is set here, so none can be wrong.
std::set<std::string> known_variables() {
  std::set<std::string> known;
  Settings settings;
  const auto note_name = [&known](const std::string& name) {
    known.insert(name);
    return std::string();
  };
  static_cast<void>(read_environment(settings, note_name));
  return known;
}

template <typename S>
Result<void> assign_key(S& section, std::string_view key, std::string_view text) {
  for (const auto& setting : settings_of<S>())
    if (setting.key == key) return assign(section, setting, text);
  return Error{ErrorKind::invalid, "unknown key '" + std::string(key) + "'", {}};
}

Result<void> apply_flag(Settings& settings, const FlagValue& flag) {
  if (flag.section == "aws") return assign_key(settings.aws, flag.key, flag.text);
  if (flag.section == "log") return assign_key(settings.log, flag.key, flag.text);
  if (flag.section == "cache") return assign_key(settings.cache, flag.key, flag.text);
  if (flag.section == "daemon") return assign_key(settings.daemon, flag.key, flag.text);
  for (auto& repository : settings.repositories)
    if (auto assigned = assign_key(repository, flag.key, flag.text); !assigned) return assigned;
  return assign_key(settings.defaults, flag.key, flag.text);
}

template <typename S>
void append_section(std::string& text, const S& section, const std::string& header) {
  text += (text.empty() ? "" : "\n") + header + '\n';
  for (const auto& setting : settings_of<S>()) {
    if (header == "[defaults]" && !is_of_section("defaults", setting.key)) continue;
    text += std::string(setting.key) + " = " + show(section, setting) + "  # " + std::string(setting.text) + '\n';
  }
}

Result<Settings> read_all(std::string_view toml, const std::string& name, const SettingsSources& sources) {
  Settings settings;
  try {
    const toml::table root = toml::parse(toml, name);
    TomlReader reader(settings, name);
    if (auto done = reader.read_shared(root); !done) return std::move(done).error();
    if (auto done = read_environment(settings, sources.environment); !done) return std::move(done).error();
    if (auto done = reader.read_lists(root); !done) return std::move(done).error();
  } catch (const toml::parse_error& failure) {
    return Error{ErrorKind::invalid,
                 name + ':' + std::to_string(failure.source().begin.line) + ": " + std::string(failure.description()),
                 {}};
  }
  for (const auto& flag : sources.flags)
    if (auto done = apply_flag(settings, flag); !done) return std::move(done).error();
  return settings;
}

}  // namespace

Result<Settings> read_settings_text(std::string_view toml, const std::string& name, const SettingsSources& sources) {
  auto settings = read_all(toml, name, sources);
  if (settings) return settings;
  // It may repeat a key or a value, and these any character.
  Error error = std::move(settings).error();
  std::ranges::replace_if(
      error.message, [](unsigned char c) { return c < ' ' || c == 0x7F; }, '?');
  return error;
}

Result<Settings> read_settings(const SettingsSources& sources) {
  const std::string file = sources.config.empty() ? std::string(k_default_config) : sources.config;
  std::error_code failure;
  const auto size = std::filesystem::file_size(file, failure);
  if (failure == std::errc::no_such_file_or_directory) {
    if (sources.config.empty()) return read_settings_text("", file, sources);
    return Error{ErrorKind::not_found, "there is no configuration file " + file, {}};
  }
  if (failure) return Error{ErrorKind::invalid, "cannot read " + file + ": " + failure.message(), {}};
  if (size > k_max_config_size) return Error{ErrorKind::invalid, file + " is larger than 4 MiB", {}};
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{ErrorKind::denied, "cannot read " + file, {}};
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  return read_settings_text(text, file, sources);
}

std::vector<std::string> unknown_variables(std::span<const std::string> names) {
  const std::set<std::string> known = known_variables();
  std::vector<std::string> unknown;
  for (const auto& name : names)
    if (name.starts_with(k_variable_prefix) && !known.contains(name)) unknown.push_back(name);
  return unknown;
}

std::string to_toml(const Settings& settings) {
  std::string text;
  append_section(text, settings.aws, "[aws]");
  append_section(text, settings.log, "[log]");
  append_section(text, settings.daemon, "[daemon]");
  append_section(text, settings.webhook, "[webhook]");
  append_section(text, settings.metrics, "[metrics]");
  append_section(text, settings.cache, "[cache]");
  append_section(text, settings.defaults, "[defaults]");
  for (const auto& queue : settings.queues) append_section(text, queue, "[[queue]]");
  for (const auto& repository : settings.repositories) append_section(text, repository, "[[repository]]");
  return text;
}

}  // namespace repoupdate
