// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace repoupdate {

// The file name in a location_href: the part behind the last slash.
inline std::string_view basename_of(std::string_view href) {
  return href.substr(href.rfind('/') + 1);
}

}  // namespace repoupdate
