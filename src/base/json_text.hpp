// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace repoupdate {

// A JSON string with its quotes (RFC 8259 section 7). Bytes above 0x7f stay as they are.
std::string json_string(std::string_view text);

}  // namespace repoupdate
