// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace repoupdate {

// A tag as it stands. The views point into the walked text.
struct Tag {
  enum class Kind { start, end, empty };  // <a>, </a>, <a/>
  Kind kind = Kind::start;
  std::string_view name;        // with its prefix: "rpm:entry"
  std::string_view attributes;  // between the name and the end of the tag
};

// Goes from tag to tag through text that a scanner has found to be one well-formed element, or its prolog. Comments,
// CDATA sections and processing instructions are stepped over. It does not check that tags match.
class TagWalker {
public:
  explicit TagWalker(std::string_view xml) : m_xml(xml) {}

  // Nothing at the end, and when a tag does not end.
  std::optional<Tag> next();

  // The character data from the last tag up to the next one, references resolved. Nothing when malformed.
  std::optional<std::string> text();

private:
  bool skip_non_tag();

  std::string_view m_xml;
  std::size_t m_at = 0;
};

}  // namespace repoupdate
