// SPDX-License-Identifier: Apache-2.0
#include "io/ability_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/hash.hpp"
#include "base/random_id.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {
namespace {

constexpr int k_format = 1;  // another probe, another number
constexpr std::size_t k_max_size = 4096;
constexpr std::array k_conditions{Condition::honoured, Condition::ignored, Condition::refused, Condition::never_met};

// The bytes of a file that is this user's own.
std::optional<std::string> read_own_file(const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, path);
  struct stat status {};
  if (!file || fstat(file->get(), &status) != 0) return std::nullopt;
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return std::nullopt;
  std::string bytes(k_max_size, '\0');
  const auto filled = read_at(*file, 0, bytes, path);
  if (!filled || *filled == k_max_size) return std::nullopt;
  bytes.resize(*filled);
  return bytes;
}

std::optional<Condition> condition(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  for (const Condition value : k_conditions)
    if (found->get<std::string>() == to_string(value)) return value;
  return std::nullopt;
}

bool is_number(const nlohmann::json& json, const char* name) {
  return json.contains(name) && json.at(name).is_number_unsigned();
}

}  // namespace

std::string AbilityFiles::path_of(const std::string& store) const {
  return m_directory + "/repoupdate-store-" + sha256_hex(store).substr(0, 32) + ".json";
}

std::optional<StoreAbilities> AbilityFiles::find(const std::string& store) const {
  const auto bytes = read_own_file(path_of(store));
  if (!bytes) return std::nullopt;
  const auto json = nlohmann::json::parse(*bytes, nullptr, false);
  if (!json.is_object() || json.value("store", nlohmann::json()) != store || !is_number(json, "format") ||
      json["format"] != k_format || !is_number(json, "probed") || !json.contains("bare_etags") ||
      !json["bare_etags"].is_boolean())
    return std::nullopt;
  const auto probed = json["probed"].get<std::uint64_t>();
  const SystemTime now = m_clock.now();
  if (probed > static_cast<std::uint64_t>(now.time_since_epoch().count())) return std::nullopt;
  if (now - SystemTime(std::chrono::seconds(probed)) > k_abilities_believed) return std::nullopt;
  const auto create = condition(json, "create");
  const auto replace = condition(json, "replace");
  const auto completion = condition(json, "completion");
  if (!create || !replace || !completion) return std::nullopt;
  return StoreAbilities{*create, *replace, json["bare_etags"].get<bool>(), *completion};
}

void AbilityFiles::keep(const std::string& store, const StoreAbilities& abilities) const {
  const nlohmann::json json{{"format", k_format},
                            {"store", store},
                            {"probed", m_clock.now().time_since_epoch().count()},
                            {"create", to_string(abilities.create)},
                            {"replace", to_string(abilities.replace)},
                            {"bare_etags", abilities.bare_etags},
                            {"completion", to_string(abilities.completion)}};
  const std::string path = path_of(store);
  const std::string staged = path + '.' + random_id();
  constexpr mode_t k_for_this_user = 0600;
  const auto file = open_file(staged, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, staged, k_for_this_user);
  if (!file) return;
  if (!write_all(*file, json.dump() + '\n', staged) || std::rename(staged.c_str(), path.c_str()) != 0)
    unlink(staged.c_str());
}

}  // namespace repoupdate
