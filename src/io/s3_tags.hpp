// SPDX-License-Identifier: Apache-2.0
// Tags of objects. Source: "Categorizing your objects using tags", Amazon S3 User Guide.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_tags = 10;        // of one object
inline constexpr std::size_t k_max_tag_key = 128;    // characters
inline constexpr std::size_t k_max_tag_value = 256;  // characters

// "KEY=VALUE,KEY=VALUE" as the value of the header x-amz-tagging; "" for "". ErrorKind::invalid for what S3 would
// refuse: too many, too long, a key twice, empty or of AWS's own, and characters that are not letters, digits, spaces
// or one of + - = . _ : / @ (so a comma always separates, and the first '=' ends the key).
Result<std::string> s3_tagging(std::string_view tags);

}  // namespace repoupdate
