// SPDX-License-Identifier: Apache-2.0
#include "base/random_id.hpp"

#include <random>

#include "base/hash.hpp"

namespace repoupdate {

std::string random_id() {
  std::random_device source;
  std::string raw(8, '\0');
  for (char& byte : raw) byte = static_cast<char>(source() & 0xFF);
  return to_hex(raw);
}

}  // namespace repoupdate
