// SPDX-License-Identifier: Apache-2.0
#include "repodata/package_markup.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace repoupdate {
namespace {

constexpr std::string_view k_package = "package";
constexpr std::string_view k_name_end = " \t\r\n/>";

// Sixteen bytes at once, on any processor: GCC and Clang make such code of it as there is.
using Bytes [[gnu::vector_size(16)]] = unsigned char;
constexpr std::size_t k_block_size = 64;
constexpr std::size_t k_block_reach = k_block_size + 2;  // bytes that are looked at

Bytes load(const char* from) {
  Bytes bytes;
  std::memcpy(&bytes, from, sizeof(bytes));
  return bytes;
}

// Whether "<!", "<?", "<p" or "</p" begins in a block.
bool may_hold_package_markup(const char* block) {
  Bytes found{};
  for (std::size_t i = 0; i < k_block_size; i += sizeof(Bytes)) {
    const Bytes first = load(block + i), second = load(block + i + 1), third = load(block + i + 2);
    const auto starts = (second == '!') | (second == '?') | (second == 'p') | ((second == '/') & (third == 'p'));
    found |= Bytes((first == '<') & starts);
  }
  std::uint64_t halves[2];
  static_assert(sizeof(halves) == sizeof(found));
  std::memcpy(halves, &found, sizeof(found));
  return (halves[0] | halves[1]) != 0;
}

bool is_package_markup(std::string_view markup) {
  std::string_view name = markup.substr(1);
  if (name.starts_with('!') || name.starts_with('?')) return true;
  if (name.starts_with('/')) name.remove_prefix(1);
  return name.starts_with(k_package) || k_package.starts_with(name);
}

}  // namespace

std::size_t find_package_markup(std::string_view xml, std::size_t from) {
  while (from < xml.size()) {
    while (xml.size() - from >= k_block_reach && !may_hold_package_markup(xml.data() + from)) from += k_block_size;
    for (const std::size_t end = std::min(xml.size(), from + k_block_size); from < end; ++from)
      if (xml[from] == '<' && is_package_markup(xml.substr(from))) return from;
  }
  return xml.size();
}

std::optional<NonTag> non_tag_at(std::string_view markup, Cdata cdata) {
  if (markup.starts_with("<!--")) return NonTag{"<!--", "-->"};
  if (markup.starts_with("<?")) return NonTag{"<?", "?>"};
  if (cdata == Cdata::allowed && markup.starts_with("<![CDATA[")) return NonTag{"<![CDATA[", "]]>"};
  return std::nullopt;
}

bool opens_package(std::string_view markup) {
  std::string_view tag = markup.substr(1);
  if (!tag.starts_with(k_package)) return false;
  tag.remove_prefix(k_package.size());
  return tag.find_first_of(k_name_end) == 0;
}

std::string_view tag_name(std::string_view tag) {
  tag.remove_prefix(tag.starts_with("</") ? 2 : 1);
  return tag.substr(0, std::min(tag.find_first_of(k_name_end), tag.size()));
}

int package_depth_change(std::string_view tag) {
  if (tag_name(tag) != k_package) return 0;
  if (tag.starts_with("</")) return -1;
  return tag.ends_with("/>") ? 0 : 1;
}

}  // namespace repoupdate
