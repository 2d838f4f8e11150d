// SPDX-License-Identifier: Apache-2.0
#include "repodata/package_scan.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "repodata/fragment_scanner.hpp"
#include "repodata/package_markup.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}
Error stands_between(std::string_view text) {
  return {ErrorKind::unsupported, "between the packages stands " + quoted(text), {}};
}

// The place up to which the piece is understood.
class PieceWalk {
public:
  explicit PieceWalk(std::string_view piece) : m_xml(piece) {}

  std::size_t at() const { return m_at; }
  bool at_end() const { return m_at == m_xml.size(); }

  Result<void> go_through_gap();      // to the next package or to the end
  Result<void> go_through_package();  // behind it

private:
  std::string_view rest() const { return m_xml.substr(m_at); }
  Error refuse_tag() const;
  Result<void> go_behind(const NonTag& non_tag);
  Result<std::string_view> tag() const;
  Result<void> check_size(std::size_t begin) const;

  std::string_view m_xml;
  std::size_t m_at = 0;
};

Result<void> PieceWalk::go_through_gap() {
  const std::size_t begin = m_at;
  for (;;) {
    const std::string_view before = rest().substr(0, rest().find('<'));
    if (!is_xml_space(before)) return stands_between(before.substr(before.find_first_not_of(k_xml_space)));
    m_at += before.size();
    if (at_end() || opens_package(rest())) return check_size(begin);
    const auto non_tag = non_tag_at(rest(), Cdata::refused);
    if (!non_tag) return refuse_tag();
    if (auto gone = go_behind(*non_tag); !gone) return gone;
  }
}

Result<void> PieceWalk::go_through_package() {
  const std::size_t begin = m_at;
  int depth = 0;
  do {
    m_at = find_package_markup(m_xml, m_at);
    if (at_end()) return corrupt("the XML ends inside of a package");
    if (const auto non_tag = non_tag_at(rest(), Cdata::allowed)) {
      if (auto gone = go_behind(*non_tag); !gone) return gone;
      continue;
    }
    const auto found = tag();
    if (!found) return found.error();
    depth += package_depth_change(*found);
    m_at += found->size();
  } while (depth > 0);
  return check_size(begin);
}

Error PieceWalk::refuse_tag() const {
  const auto found = tag();
  if (!found) return found.error();
  if (found->starts_with("</")) return corrupt("between the packages stands " + quoted(*found));
  return stands_between(*found);
}

Result<void> PieceWalk::go_behind(const NonTag& non_tag) {
  const std::size_t end = m_xml.find(non_tag.end, m_at + non_tag.begin.size());
  if (end == std::string_view::npos) return corrupt("the XML ends before " + quoted(non_tag.end));
  m_at = end + non_tag.end.size();
  return {};
}

Result<std::string_view> PieceWalk::tag() const {
  const std::size_t end = std::min(find_tag_end(m_xml, m_at), m_xml.size());
  if (end - m_at > k_max_tag_size) return corrupt("a tag is longer than " + std::to_string(k_max_tag_size) + " bytes");
  if (end == m_xml.size()) return corrupt("the XML ends inside of a tag");
  return m_xml.substr(m_at, end - m_at + 1);
}

Result<void> PieceWalk::check_size(std::size_t begin) const {
  if (m_at - begin <= k_max_fragment_size) return {};
  return corrupt("a package or a gap between packages is larger than " + std::to_string(k_max_fragment_size) +
                 " bytes");
}

}  // namespace

Result<std::vector<PackageSpan>> scan_packages(std::string_view open) {
  std::vector<PackageSpan> spans;
  PieceWalk walk(open);
  for (;;) {
    if (auto gone = walk.go_through_gap(); !gone) return std::move(gone).error();
    if (walk.at_end()) return spans;
    const std::size_t begin = walk.at();
    if (auto gone = walk.go_through_package(); !gone) return std::move(gone).error();
    spans.push_back({begin, walk.at()});
  }
}

}  // namespace repoupdate
