// SPDX-License-Identifier: Apache-2.0
// Reads JSON objects that have no objects or lists in them: those of our own small files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace repoupdate {

// By name: strings unescaped, and numbers, true, false and null as they are written. A name that comes twice has its
// last value.
using FlatJson = std::map<std::string, std::string, std::less<>>;

// Nothing when `text` is not one such object (RFC 8259), or has a \u escape that is no character.
std::optional<FlatJson> parse_flat_json(std::string_view text);

}  // namespace repoupdate
