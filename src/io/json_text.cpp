// SPDX-License-Identifier: Apache-2.0
#include "io/json_text.hpp"

#include <nlohmann/json.hpp>

namespace repoupdate {

std::string json_text(const nlohmann::json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace repoupdate
