// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace repoupdate {

inline constexpr std::string_view k_version = REPOUPDATE_VERSION;

}  // namespace repoupdate
