// SPDX-License-Identifier: Apache-2.0
#include "model/nevra.hpp"

namespace repoupdate {

std::string to_string(const Nevra& nevra) {
  std::string text = nevra.name + '-';
  if (nevra.epoch != "0" && !nevra.epoch.empty()) text += nevra.epoch + ':';
  return text + nevra.version + '-' + nevra.release + '.' + nevra.arch;
}

}  // namespace repoupdate
