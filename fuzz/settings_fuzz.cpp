// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the configuration file.
#include <string>
#include <string_view>

#include "app/settings_reader.hpp"
#include "claim.hpp"

namespace repoupdate {
namespace {

const SettingsSources k_nothing_else{"", [](const std::string&) { return std::string(); }, {}};

void check(std::string_view toml) {
  const auto settings = read_settings_text(toml, "x.toml", k_nothing_else);
  if (!settings) {
    claim(settings.error().kind == ErrorKind::invalid, "what cannot be read is invalid");
    return claim_message(settings.error().message);
  }
  const std::string shown = to_toml(*settings);
  const auto again = read_settings_text(shown, "y.toml", k_nothing_else);
  claim(again.ok(), "settings that are shown can be read");
  claim(to_toml(*again) == shown, "and are the same");
  if (!settings->webhook.secret.empty()) claim(shown.find("(hidden)") != std::string::npos, "a secret is not shown");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
