// SPDX-License-Identifier: Apache-2.0
#include "sync/package_key.hpp"

#include "model/location_href.hpp"

namespace repoupdate {

std::string_view key_of_href(std::string_view href) {
  while (href.starts_with("./")) href.remove_prefix(2);
  return href;
}

bool is_package_href(std::string_view href) {
  if (href.starts_with('/')) return false;
  if (!basename_of(href).ends_with(".rpm") || basename_of(href) == ".rpm") return false;
  for (std::string_view rest = href; !rest.empty();) {
    const auto end = rest.find('/');
    const auto segment = rest.substr(0, end);
    if (segment.starts_with('.') || segment == "repodata") return false;
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return true;
}

}  // namespace repoupdate
