// SPDX-License-Identifier: Apache-2.0
#include "repodata/xml_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

namespace repoupdate {
namespace {

constexpr std::array<std::pair<std::string_view, char>, 5> k_entities{
    {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};

bool append_utf8(std::string& out, std::uint32_t code) {
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code == 0 || code > 0x10FFFF || surrogate) return false;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12), tail(6), tail(0);
  }
  return true;
}

// `name` is what stands between '&' and ';'.
bool append_reference(std::string& out, std::string_view name) {
  if (name.starts_with('#')) {
    const bool hex = name.starts_with("#x");
    name.remove_prefix(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [end, error] = std::from_chars(name.begin(), name.end(), code, hex ? 16 : 10);
    return error == std::errc() && end == name.end() && append_utf8(out, code);
  }
  const auto* found =
      std::find_if(k_entities.begin(), k_entities.end(), [&](const auto& entity) { return entity.first == name; });
  if (found == k_entities.end()) return false;
  out += found->second;
  return true;
}

// In values line ends and tabs become spaces, in text line ends become '\n' (XML 1.0, 2.11 and 3.3.3).
std::optional<std::string> unescape(std::string_view raw, bool is_value) {
  const std::string_view special = is_value ? "&\r\n\t" : "&\r";
  std::string text;
  text.reserve(raw.size());
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t next = std::min(raw.find_first_of(special, at), raw.size());
    text.append(raw, at, next - at);
    at = next;
    if (at == raw.size()) break;
    if (raw[at] == '&') {
      const std::size_t end = raw.find(';', at);
      if (end == std::string_view::npos || !append_reference(text, raw.substr(at + 1, end - at - 1)))
        return std::nullopt;
      at = end + 1;
    } else {
      text += is_value ? ' ' : '\n';
      at += raw.substr(at).starts_with("\r\n") ? 2 : 1;
    }
  }
  return text;
}

}  // namespace

std::size_t find_tag_end(std::string_view xml, std::size_t from) {
  for (;;) {
    const std::size_t at = xml.find_first_of("\"'>", from);
    if (at == std::string_view::npos || xml[at] == '>') return at;
    const std::size_t closing = xml.find(xml[at], at + 1);
    if (closing == std::string_view::npos) return closing;
    from = closing + 1;
  }
}

std::optional<std::string_view> raw_attribute(std::string_view attributes, std::string_view name) {
  const auto skip_space = [&] {
    attributes.remove_prefix(std::min(attributes.find_first_not_of(k_xml_space), attributes.size()));
  };
  for (skip_space(); !attributes.empty(); skip_space()) {
    const std::size_t name_end = std::min(attributes.find_first_of("= \t\r\n"), attributes.size());
    const std::string_view found = attributes.substr(0, name_end);
    attributes.remove_prefix(name_end);
    skip_space();
    if (!attributes.starts_with('=')) return std::nullopt;
    attributes.remove_prefix(1);
    skip_space();
    if (attributes.empty() || (attributes[0] != '"' && attributes[0] != '\'')) return std::nullopt;
    const std::size_t closing = attributes.find(attributes[0], 1);
    if (closing == std::string_view::npos) return std::nullopt;
    if (found == name) return attributes.substr(1, closing - 1);
    attributes.remove_prefix(closing + 1);
  }
  return std::nullopt;
}

std::optional<std::string> attribute(std::string_view attributes, std::string_view name) {
  const auto raw = raw_attribute(attributes, name);
  return raw ? unescape(*raw, true) : std::nullopt;
}

std::optional<std::string> unescape_text(std::string_view raw) {
  return unescape(raw, false);
}

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\r': escaped += "&#13;"; break;  // a reader would make a line feed of it, and a space of these in a value
      case '\n': escaped += "&#10;"; break;
      case '\t': escaped += "&#9;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t k_max_quoted = 200;
  std::string quote = "'";
  for (const char c : text.substr(0, k_max_quoted)) quote += (c >= 0 && c < ' ') || c == '\x7f' ? '?' : c;
  return quote + "'";
}

bool is_xml_space(std::string_view text) {
  return text.find_first_not_of(k_xml_space) == std::string_view::npos;
}

bool is_utf8_encoding(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return upper == "UTF-8" || upper == "UTF8" || upper == "US-ASCII" || upper == "ASCII";
}

}  // namespace repoupdate
