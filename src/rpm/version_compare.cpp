// SPDX-License-Identifier: Apache-2.0
#include "rpm/version_compare.hpp"

#include <rpm/rpmver.h>

namespace repoupdate {

std::strong_ordering compare_evr(const Nevra& left, const Nevra& right) {
  for (const auto part : {&Nevra::epoch, &Nevra::version, &Nevra::release})
    if (const int order = rpmvercmp((left.*part).c_str(), (right.*part).c_str()); order != 0) return order <=> 0;
  return std::strong_ordering::equal;
}

}  // namespace repoupdate
