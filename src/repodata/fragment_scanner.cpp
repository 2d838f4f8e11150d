// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_scanner.hpp"

#include <algorithm>
#include <utility>

#include "repodata/package_markup.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}
Error unsupported(std::string message) {
  return {ErrorKind::unsupported, std::move(message), {}};
}
Error too_large() {
  return corrupt("a package or a gap between packages is larger than " + std::to_string(k_max_fragment_size) +
                 " bytes");
}

}  // namespace

// A std::string that grows doubles, also beyond the largest item that may stand in it.
void FragmentScanner::feed(std::string_view piece) {
  const std::size_t wanted = m_buffer.size() - m_begin + piece.size();
  if (wanted > m_buffer.capacity()) {
    const std::size_t doubled = 2 * m_buffer.capacity();
    std::string larger;
    larger.reserve(std::max(wanted, doubled < k_max_fragment_size ? doubled : k_max_fragment_size + piece.size()));
    larger.append(m_buffer, m_begin);
    m_buffer = std::move(larger);
  } else {
    m_buffer.erase(0, m_begin);
  }
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
  if (m_buffer.size() - m_begin > k_max_fragment_size) return too_large();
  if (!m_finished) return std::optional<MetadataItem>();
  if (m_place != Place::after_root || !m_terminator.empty())
    return corrupt("the XML ends before </" + std::string(m_root) + ">");
  if (const auto taken = take(MetadataItem::Kind::trailer, m_buffer.size()); !taken) return taken.error();
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
  auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  return corrupt("there is something behind the root element");
}

Result<bool> FragmentScanner::step_before_root() {
  auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  auto whole = read_tag();
  if (!whole || !*whole) return whole;
  if (m_tag.starts_with("<!")) return unsupported("it has a document type declaration");
  if (tag_name(m_tag) != m_root)
    return corrupt("the root element is " + quoted(tag_name(m_tag)) + ", not '" + std::string(m_root) + "'");
  m_place = m_tag.ends_with("/>") ? Place::after_root : Place::between_packages;
  return take(MetadataItem::Kind::prolog, m_at + m_tag.size());
}

Result<bool> FragmentScanner::step_between_packages() {
  auto found = go_to_markup();
  if (!found || !*found || skip_non_tag()) return found;
  if (m_at > m_begin && (opens_package(rest()) || rest().starts_with("</")))
    return take(MetadataItem::Kind::gap, m_at);  // the tag is looked at once more
  if (opens_package(rest())) {
    m_place = Place::in_package;
    return true;
  }
  auto whole = read_tag();
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
  auto whole = read_tag();
  if (!whole || !*whole) return whole;
  m_depth += package_depth_change(m_tag);
  m_at += m_tag.size();
  if (m_depth > 0) return true;
  m_place = Place::between_packages;
  return take(MetadataItem::Kind::fragment, m_at);
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
  m_at = find_package_markup(m_buffer, m_at);
  return can_classify();
}

bool FragmentScanner::can_classify() const {
  const std::size_t left = m_buffer.size() - m_at;
  return left >= k_markup_lookahead || (m_finished && left > 0);
}

// Enters the comment, instruction or, in a package, CDATA section that begins here.
bool FragmentScanner::skip_non_tag() {
  const auto non_tag = non_tag_at(rest(), m_place == Place::in_package ? Cdata::allowed : Cdata::refused);
  if (!non_tag) return false;
  m_at += non_tag->begin.size();
  m_terminator = non_tag->end;
  return true;
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

Result<bool> FragmentScanner::take(MetadataItem::Kind kind, std::size_t end) {
  if (end - m_begin > k_max_fragment_size) return too_large();
  m_item = MetadataItem{kind, std::string_view(m_buffer).substr(m_begin, end - m_begin)};
  m_begin = m_at = end;
  return true;
}

}  // namespace repoupdate
