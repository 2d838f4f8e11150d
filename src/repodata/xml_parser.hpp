// SPDX-License-Identifier: Apache-2.0
// The full XML parser (expat) behind a small interface: for repomd.xml, and for the second look that `verify` takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_xml_depth = 64;  // real metadata have 5

// The attributes of one start tag, decoded; valid during the callback.
class XmlAttributes {
public:
  explicit XmlAttributes(const char** pairs) : m_pairs(pairs) {}
  std::optional<std::string_view> find(std::string_view name) const;

private:
  const char** m_pairs;
};

// Names come with their prefixes, as they stand. Text may come in several pieces. All may be empty.
struct XmlCallbacks {
  std::function<void(std::string_view name, const XmlAttributes& attributes)> start;
  std::function<void(std::string_view name)> end;
  std::function<void(std::string_view text)> text;
};

class XmlParser {
public:
  explicit XmlParser(XmlCallbacks callbacks);
  ~XmlParser();
  XmlParser(const XmlParser&) = delete;
  XmlParser& operator=(const XmlParser&) = delete;

  // corrupt: not well-formed, deeper than k_max_xml_depth, or with a document type (so no entity can be declared);
  // the message has the line. unsupported: a declared encoding other than UTF-8.
  Result<void> feed(std::string_view piece);
  Result<void> finish();

  // In a callback: offsets of the markup that it is about, from the beginning of the document.
  std::uint64_t event_begin() const;
  std::uint64_t event_end() const;

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
