// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace repoupdate {

// A JSON string with its quotes (RFC 8259 section 7). Bytes above 0x7f stay as they are, so that what is no UTF-8
// comes back, to who reads it here.
std::string json_string(std::string_view text);

// U+FFFD in the place of each byte that is no UTF-8 (RFC 3629): for JSON that others read.
std::string valid_utf8(std::string_view text);

}  // namespace repoupdate
