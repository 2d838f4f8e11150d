// SPDX-License-Identifier: Apache-2.0
// Which bytes may stand in metadata. One character that XML 1.0 forbids makes a client refuse the whole
// repository: control characters but for tab, line feed and carriage return, surrogates, U+FFFE, U+FFFF, and
// UTF-8 that is longer than it need be. Source: XML 1.0, production 2 (Char); RFC 3629.
//
// Text that is not UTF-8 is taken for Latin-1, as libcreaterepo_c does when it writes it; only control
// characters are forbidden in it.
#pragma once

#include <string>
#include <string_view>

namespace repoupdate {

bool is_utf8(std::string_view text);  // by shape, as libxml2 and with it libcreaterepo_c decide

bool is_xml_text(std::string_view text);

// The text without what is forbidden; unchanged when nothing is.
std::string keep_xml_text(std::string_view text);

}  // namespace repoupdate
