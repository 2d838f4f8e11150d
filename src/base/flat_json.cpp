// SPDX-License-Identifier: Apache-2.0
#include "base/flat_json.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace repoupdate {
namespace {

void append_utf8(std::string& text, std::uint32_t code) {
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | code >> 6), tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | code >> 12), tail(6), tail(0);
  } else {
    text += static_cast<char>(0xF0 | code >> 18), tail(12), tail(6), tail(0);
  }
}

class Reader {
public:
  explicit Reader(std::string_view text) : m_rest(text) {}

  std::optional<FlatJson> object() {
    FlatJson members;
    if (!take('{')) return std::nullopt;
    if (!take('}')) {
      do {
        auto name = string();
        if (!name || !take(':')) return std::nullopt;
        auto value = starts_with('"') ? string() : word();
        if (!value) return std::nullopt;
        members.insert_or_assign(*std::move(name), *std::move(value));
      } while (take(','));
      if (!take('}')) return std::nullopt;
    }
    skip_space();
    return m_rest.empty() ? std::optional(std::move(members)) : std::nullopt;
  }

private:
  void skip_space() {
    const auto begin = m_rest.find_first_not_of(" \t\r\n");
    m_rest.remove_prefix(begin == std::string_view::npos ? m_rest.size() : begin);
  }
  bool starts_with(char c) {
    skip_space();
    return m_rest.starts_with(c);
  }
  bool take(char c) {
    if (!starts_with(c)) return false;
    m_rest.remove_prefix(1);
    return true;
  }

  // A number, true, false or null. What is no such word is left to whoever wanted one.
  std::optional<std::string> word() {
    skip_space();
    const auto length = std::min(m_rest.find_first_of(",}] \t\r\n"), m_rest.size());
    const std::string_view text = m_rest.substr(0, length);
    if (text.empty() || text.find_first_of("{[\"") != std::string_view::npos) return std::nullopt;
    m_rest.remove_prefix(length);
    return std::string(text);
  }

  std::optional<std::string> string() {
    if (!take('"')) return std::nullopt;
    std::string text;
    while (!m_rest.empty()) {
      const char c = m_rest.front();
      m_rest.remove_prefix(1);
      if (c == '"') return text;
      if (static_cast<unsigned char>(c) < 0x20) return std::nullopt;
      if (c != '\\') {
        text += c;
      } else if (!escape(text)) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }

  bool escape(std::string& text) {
    if (m_rest.empty()) return false;
    const char c = m_rest.front();
    m_rest.remove_prefix(1);
    constexpr std::string_view k_names = "\"\\/bfnrt", k_meanings = "\"\\/\b\f\n\r\t";
    if (const auto known = k_names.find(c); known != std::string_view::npos) {
      text += k_meanings[known];
      return true;
    }
    return c == 'u' && unicode(text);
  }

  bool unicode(std::string& text) {
    auto code = four_digits();
    if (!code) return false;
    if (*code >= 0xD800 && *code < 0xDC00) {  // the first half of a character beyond 0xFFFF
      if (!m_rest.starts_with("\\u")) return false;
      m_rest.remove_prefix(2);
      const auto low = four_digits();
      if (!low || *low < 0xDC00 || *low > 0xDFFF) return false;
      code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
    } else if (*code >= 0xDC00 && *code <= 0xDFFF) {
      return false;
    }
    append_utf8(text, *code);
    return true;
  }

  std::optional<std::uint32_t> four_digits() {
    std::uint32_t code = 0;
    if (m_rest.size() < 4) return std::nullopt;
    const auto [end, failure] = std::from_chars(m_rest.data(), m_rest.data() + 4, code, 16);
    if (failure != std::errc{} || end != m_rest.data() + 4) return std::nullopt;
    m_rest.remove_prefix(4);
    return code;
  }

  std::string_view m_rest;
};

}  // namespace

std::optional<FlatJson> parse_flat_json(std::string_view text) {
  return Reader(text).object();
}

}  // namespace repoupdate
