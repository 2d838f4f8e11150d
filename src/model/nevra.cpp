// SPDX-License-Identifier: Apache-2.0
#include "model/nevra.hpp"

#include <algorithm>

namespace repoupdate {

std::string to_string(const Nevra& nevra) {
  std::string text = nevra.name + '-';
  if (nevra.epoch != "0" && !nevra.epoch.empty()) text += nevra.epoch + ':';
  return text + nevra.version + '-' + nevra.release + '.' + nevra.arch;
}

std::optional<Nevra> parse_nevra(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const auto release = text.rfind('-', dot);
  if (release == std::string_view::npos || release == 0) return std::nullopt;
  const auto version = text.rfind('-', release - 1);
  if (version == std::string_view::npos) return std::nullopt;

  Nevra nevra;
  nevra.name = text.substr(0, version);
  nevra.version = text.substr(version + 1, release - version - 1);
  nevra.release = text.substr(release + 1, dot - release - 1);
  nevra.arch = text.substr(dot + 1);
  if (const auto colon = nevra.version.find(':'); colon != std::string::npos) {
    nevra.epoch = nevra.version.substr(0, colon);
    nevra.version.erase(0, colon + 1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (nevra.epoch.empty() || !std::all_of(nevra.epoch.begin(), nevra.epoch.end(), is_digit)) return std::nullopt;
  }
  if (nevra.name.empty() || nevra.version.empty() || nevra.release.empty() || nevra.arch.empty()) return std::nullopt;
  return nevra;
}

}  // namespace repoupdate
