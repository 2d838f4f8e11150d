// SPDX-License-Identifier: Apache-2.0
// The few rules of XML 1.0 (https://www.w3.org/TR/xml/) that are needed to read one element without a parser.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace repoupdate {

inline constexpr std::string_view k_xml_space = " \t\r\n";  // production S
inline constexpr std::string_view k_utf8_bom = "\xef\xbb\xbf";

// Where the tag that starts before `from` ends: the position of its '>', which may not be one inside a quoted
// value. npos when `xml` ends first.
std::size_t find_tag_end(std::string_view xml, std::size_t from);

// The value of one attribute as it stands, a view into `attributes` (what lies between an element's name and the end of
// its start tag). Nothing when it is not there or the text before it is no list of attributes.
std::optional<std::string_view> raw_attribute(std::string_view attributes, std::string_view name);

// The same with references resolved and white space normalised.
std::optional<std::string> attribute(std::string_view attributes, std::string_view name);

// Text with the five named and all numeric references resolved and line ends made '\n'. Nothing for an unknown
// or malformed reference.
std::optional<std::string> unescape_text(std::string_view raw);

// Fit for text and for a value in double quotes.
std::string escape(std::string_view text);

// What of a document's own text may stand in a message: the beginning, in quotes, without control characters.
std::string quoted(std::string_view text);

bool is_xml_space(std::string_view text);  // nothing but white space, or empty

// The encodings that can be edited as bytes: UTF-8 and its subset ASCII, in any case.
bool is_utf8_encoding(std::string_view name);

}  // namespace repoupdate
