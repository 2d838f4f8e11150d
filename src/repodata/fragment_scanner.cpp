// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_scanner.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_package = "package";
constexpr std::size_t k_lookahead = sizeof("</package>") - 1;  // enough to know what begins at a '<'

struct Bracket {
  std::string_view begin;
  std::string_view end;
};
constexpr Bracket k_comment{"<!--", "-->"};
constexpr Bracket k_instruction{"<?", "?>"};
constexpr Bracket k_cdata{"<![CDATA[", "]]>"};

std::string_view tag_name(std::string_view tag) {
  tag.remove_prefix(tag.starts_with("</") ? 2 : 1);
  return tag.substr(0, std::min(tag.find_first_of(" \t\r\n/>"), tag.size()));
}

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}
Error unsupported(std::string message) {
  return {ErrorKind::unsupported, std::move(message), {}};
}

}  // namespace

void FragmentScanner::feed(std::string_view piece) {
  m_buffer.erase(0, m_begin);
  m_at -= m_begin;
  m_begin = 0;
  m_buffer += piece;
}

Result<std::optional<MetadataItem>> FragmentScanner::next() {
  while (m_place != Place::done) {
    const auto progress = step();
    if (!progress) return progress.error();
    if (m_item) return std::exchange(m_item, std::nullopt);
    if (!*progress) return at_end_of_buffer();
  }
  return std::optional<MetadataItem>();
}

Result<std::optional<MetadataItem>> FragmentScanner::at_end_of_buffer() {
  if (m_buffer.size() - m_begin > k_max_fragment_size)
    return corrupt("a package or a gap between packages is larger than " + std::to_string(k_max_fragment_size) +
                   " bytes");
  if (!m_finished) return std::optional<MetadataItem>();
  if (m_place != Place::after_root || !m_terminator.empty())
    return corrupt("the XML ends before </" + std::string(m_root) + ">");
  take(MetadataItem::Kind::trailer, m_buffer.size());
  m_place = Place::done;
  return std::exchange(m_item, std::nullopt);
}

Result<bool> FragmentScanner::step() {
  if (!leave_non_tag()) return false;
  switch (m_place) {
    case Place::before_root: return step_before_root();
    case Place::between_packages: return step_between_packages();
    case Place::in_package: return step_in_package();
    case Place::after_root:
    case Place::done: break;
  }
  const auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  return corrupt("there is something behind the root element");
}

Result<bool> FragmentScanner::step_before_root() {
  const auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  const auto whole = read_tag();
  if (!whole || !*whole) return whole;
  if (m_tag.starts_with("<!")) return unsupported("it has a document type declaration");
  if (tag_name(m_tag) != m_root)
    return corrupt("the root element is " + quoted(tag_name(m_tag)) + ", not '" + std::string(m_root) + "'");
  m_place = m_tag.ends_with("/>") ? Place::after_root : Place::between_packages;
  take(MetadataItem::Kind::prolog, m_at + m_tag.size());
  return true;
}

Result<bool> FragmentScanner::step_between_packages() {
  const auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  if (m_at > m_begin && (opens_package() || rest().starts_with("</"))) {
    take(MetadataItem::Kind::gap, m_at);  // the tag is looked at once more
    return true;
  }
  if (opens_package()) {
    m_place = Place::in_package;
    return true;
  }
  const auto whole = read_tag();
  if (!whole || !*whole) return whole;
  if (!m_tag.starts_with("</")) return unsupported("between the packages stands " + quoted(m_tag));
  if (tag_name(m_tag) != m_root) return corrupt("the root element ends with " + quoted(m_tag));
  m_at += m_tag.size();
  m_place = Place::after_root;
  return true;
}

// Goes through a fragment, whose content is of no interest but for what might look like its end.
Result<bool> FragmentScanner::step_in_package() {
  if (!go_to_package_markup()) return false;
  if (skip_non_tag()) return true;
  const auto whole = read_tag();
  if (!whole || !*whole) return whole;
  const std::size_t end = m_at + m_tag.size();
  if (tag_name(m_tag) == k_package) {
    if (m_tag.starts_with("</"))
      --m_depth;
    else if (!m_tag.ends_with("/>"))
      ++m_depth;
    if (m_depth == 0) {
      take(MetadataItem::Kind::fragment, end);
      m_place = Place::between_packages;
      return true;
    }
  }
  m_at = end;
  return true;
}

// To the next '<' outside of a package, where only white space may stand before it.
Result<bool> FragmentScanner::go_to_markup() {
  if (m_place == Place::before_root && m_at == m_begin) {
    if (rest().size() < k_utf8_bom.size() && !m_finished) return false;
    if (rest().starts_with(k_utf8_bom)) m_at += k_utf8_bom.size();
  }
  const std::size_t markup = std::min(m_buffer.find('<', m_at), m_buffer.size());
  const std::string_view before = rest().substr(0, markup - m_at);
  if (!is_xml_space(before)) {
    const std::string text = quoted(before.substr(before.find_first_not_of(k_xml_space)));
    if (m_place == Place::between_packages) return unsupported("between the packages stands " + text);
    return corrupt("outside of the root element stands " + text);
  }
  m_at = markup;
  return can_classify();
}

// To the next '<' inside of a package that may end it, or that begins what may hide such an end.
bool FragmentScanner::go_to_package_markup() {
  for (;; ++m_at) {
    m_at = std::min(m_buffer.find('<', m_at), m_buffer.size());
    if (!can_classify()) return false;
    std::string_view name = rest().substr(1);
    if (name.starts_with('!') || name.starts_with('?')) return true;
    if (name.starts_with('/')) name.remove_prefix(1);
    if (name.starts_with(k_package)) return true;
  }
}

bool FragmentScanner::can_classify() const {
  const std::size_t left = m_buffer.size() - m_at;
  return left >= k_lookahead || (m_finished && left > 0);
}

// Enters the comment, instruction or, in a package, CDATA section that begins here.
bool FragmentScanner::skip_non_tag() {
  for (const Bracket& bracket : {k_comment, k_instruction, k_cdata}) {
    if (!rest().starts_with(bracket.begin)) continue;
    if (bracket.begin == k_cdata.begin && m_place != Place::in_package) continue;
    m_at += bracket.begin.size();
    m_terminator = bracket.end;
    return true;
  }
  return false;
}

bool FragmentScanner::leave_non_tag() {
  if (m_terminator.empty()) return true;
  const std::size_t found = m_buffer.find(m_terminator, m_at);
  if (found == std::string::npos) {
    // The next piece may bring the rest of a terminator that begins in the last bytes.
    if (m_buffer.size() >= m_at + m_terminator.size()) m_at = m_buffer.size() - m_terminator.size() + 1;
    return false;
  }
  m_at = found + m_terminator.size();
  m_terminator = {};
  return true;
}

Result<bool> FragmentScanner::read_tag() {
  const std::size_t end = find_tag_end(m_buffer, m_at);
  const std::size_t length = std::min(end, m_buffer.size()) - m_at;
  if (length > k_max_tag_size) return corrupt("a tag is longer than " + std::to_string(k_max_tag_size) + " bytes");
  if (end == std::string::npos) return false;
  m_tag = rest().substr(0, length + 1);
  return true;
}

bool FragmentScanner::opens_package() const {
  std::string_view tag = rest().substr(1);
  if (!tag.starts_with(k_package)) return false;
  tag.remove_prefix(k_package.size());
  return tag.find_first_of(" \t\r\n/>") == 0;
}

void FragmentScanner::take(MetadataItem::Kind kind, std::size_t end) {
  m_item = MetadataItem{kind, std::string_view(m_buffer).substr(m_begin, end - m_begin)};
  m_begin = m_at = end;
}

}  // namespace repoupdate
