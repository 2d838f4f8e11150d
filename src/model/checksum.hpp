// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/hash.hpp"

namespace repoupdate {

// A digest as metadata state it: `<checksum type="sha256">9f86d0...</checksum>`.
struct Checksum {
  HashType type = HashType::sha256;
  std::string hex;  // lower case

  bool operator==(const Checksum&) const = default;
};

}  // namespace repoupdate
