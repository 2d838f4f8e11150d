// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace repoupdate {

// A JSON string with its quotes (RFC 8259 section 7). UTF-8 stays as it is; a byte that is none becomes U+FFFD.
std::string json_string(std::string_view text);

}  // namespace repoupdate
