// SPDX-License-Identifier: Apache-2.0
#include "repodata/tag_walker.hpp"

#include <algorithm>
#include <array>

#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_cdata_begin = "<![CDATA[";
constexpr std::string_view k_cdata_end = "]]>";

struct Bracket {
  std::string_view begin;
  std::string_view end;
};
constexpr std::array<Bracket, 3> k_non_tags{{{"<!--", "-->"}, {k_cdata_begin, k_cdata_end}, {"<?", "?>"}}};

}  // namespace

// At a '<' that begins no tag: goes behind what it begins.
bool TagWalker::skip_non_tag() {
  const std::string_view rest = m_xml.substr(m_at);
  for (const auto& [begin, end] : k_non_tags) {
    if (!rest.starts_with(begin)) continue;
    const std::size_t found = rest.find(end, begin.size());
    m_at = found == std::string_view::npos ? m_xml.size() : m_at + found + end.size();
    return true;
  }
  return false;
}

std::optional<Tag> TagWalker::next() {
  do {
    m_at = m_xml.find('<', m_at);
    if (m_at == std::string_view::npos) {
      m_at = m_xml.size();
      return std::nullopt;
    }
  } while (skip_non_tag());

  const std::size_t end = find_tag_end(m_xml, m_at);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view inside = m_xml.substr(m_at + 1, end - m_at - 1);
  m_at = end + 1;

  Tag tag;
  if (inside.starts_with('/')) {
    tag.kind = Tag::Kind::end;
    inside.remove_prefix(1);
  } else if (inside.ends_with('/')) {
    tag.kind = Tag::Kind::empty;
    inside.remove_suffix(1);
  }
  const std::size_t name_end = std::min(inside.find_first_of(k_xml_space), inside.size());
  tag.name = inside.substr(0, name_end);
  tag.attributes = inside.substr(name_end);
  return tag;
}

std::optional<std::string> TagWalker::text() {
  std::string text;
  for (;;) {
    const std::size_t next = std::min(m_xml.find('<', m_at), m_xml.size());
    const auto plain = unescape_text(m_xml.substr(m_at, next - m_at));
    if (!plain) return std::nullopt;
    text += *plain;
    m_at = next;
    const bool is_cdata = m_xml.substr(m_at).starts_with(k_cdata_begin);
    if (!skip_non_tag()) return text;
    if (!is_cdata) continue;
    const std::size_t begin = next + k_cdata_begin.size();
    text += m_xml.substr(begin, m_at - k_cdata_end.size() - begin);
  }
}

}  // namespace repoupdate
