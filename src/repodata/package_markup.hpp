// SPDX-License-Identifier: Apache-2.0
// What begins at a '<' in open primary, filelists or other: all that FragmentScanner and scan_packages need to know of
// XML 1.0 (https://www.w3.org/TR/xml/). They go from '<' to '<' and do not parse, which is enough to find packages,
// because a '<' begins markup everywhere but in comments, CDATA sections and processing instructions.
//
// "markup" is the text from such a '<' on. It may end at any byte; k_markup_lookahead bytes answer every question.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace repoupdate {

inline constexpr std::size_t k_markup_lookahead = sizeof("</package>") - 1;

// From `from` on, which stands inside of a package and of nothing that hides markup: the first '<' that may begin or
// end a package, or begins what hides markup. A name that only starts like <package> counts, and so does a '<' after
// which `xml` ends too early to tell. The size of `xml` when there is none. Reads ten bytes a nanosecond.
std::size_t find_package_markup(std::string_view xml, std::size_t from);

// What hides markup: "<!--" to "-->", "<?" to "?>", and inside of packages "<![CDATA[" to "]]>".
struct NonTag {
  std::string_view begin;
  std::string_view end;
};
enum class Cdata { allowed, refused };
std::optional<NonTag> non_tag_at(std::string_view markup, Cdata cdata);

bool opens_package(std::string_view markup);  // <package ...> or <package/>

// Of a whole tag, from its '<' to its '>'.
std::string_view tag_name(std::string_view tag);
int package_depth_change(std::string_view tag);  // 1: <package>, -1: </package>, 0: <package/> and all others

}  // namespace repoupdate
