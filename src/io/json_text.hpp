// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace repoupdate {

// The member of an object, where it is text; "" for whatever else, also where `object` is none.
std::string json_text(const nlohmann::json& object, const char* member);

}  // namespace repoupdate
