// SPDX-License-Identifier: Apache-2.0
#include "sync/repository.hpp"

#include <algorithm>

#include "sync/package_key.hpp"

namespace repoupdate {

bool Repository::owns(std::string_view href) const {
  const auto below = [&](const std::string& other) { return href.starts_with(other); };
  return is_package_href(href) && std::none_of(nested.begin(), nested.end(), below);
}

}  // namespace repoupdate
