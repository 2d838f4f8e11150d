// SPDX-License-Identifier: Apache-2.0
#include "io/s3_tags.hpp"

#include <algorithm>
#include <set>

#include "io/http.hpp"

namespace repoupdate {
namespace {

Error wrong(std::string_view tag, const std::string& why) {
  return {ErrorKind::invalid, "tag '" + std::string(tag) + "': " + why, {}};
}

// UTF-8 characters: all bytes but those that continue one.
std::size_t length(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

bool is_allowed(char c) {
  const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  return is_letter || (c >= '0' && c <= '9') || std::string_view(" +-=._:/@").find(c) != std::string_view::npos;
}

}  // namespace

Result<std::string> s3_tagging(std::string_view tags) {
  std::string header;
  std::set<std::string_view> keys;
  while (!tags.empty()) {
    const std::string_view tag = tags.substr(0, tags.find(','));
    tags.remove_prefix(std::min(tag.size() + 1, tags.size()));
    const std::size_t equals = tag.find('=');
    if (equals == std::string_view::npos || equals == 0) return wrong(tag, "expected KEY=VALUE");
    const std::string_view key = tag.substr(0, equals), value = tag.substr(equals + 1);
    if (length(key) > k_max_tag_key)
      return wrong(tag, "its key has more than " + std::to_string(k_max_tag_key) + " characters");
    if (length(value) > k_max_tag_value)
      return wrong(tag, "its value has more than " + std::to_string(k_max_tag_value) + " characters");
    if (key.starts_with("aws:")) return wrong(tag, "keys that begin with aws: are AWS's own");
    if (!std::ranges::all_of(tag, is_allowed))
      return wrong(tag, "only letters, digits, spaces and + - = . _ : / @ are allowed");
    if (!keys.insert(key).second) return wrong(tag, "its key is there twice");
    if (keys.size() > k_max_tags) return wrong(tag, "more than " + std::to_string(k_max_tags) + " tags");
    if (!header.empty()) header += '&';
    header += percent_encode(key, false) + '=' + percent_encode(value, false);
  }
  return header;
}

}  // namespace repoupdate
