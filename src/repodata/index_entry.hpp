// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "model/nevra.hpp"

namespace repoupdate {

// What primary.xml says about one package: enough to plan an edit, without the rest of the metadata.
struct IndexEntry {
  Nevra nevra;
  std::string pkgid;           // hex, as it stands in the metadata
  std::string location_href;   // unescaped
  std::string location_base;   // xml:base, unescaped; empty: the package lies below the repository root
  std::uint64_t size = 0;      // <size package>: bytes of the file
  std::int64_t time_file = 0;  // <time file>: Unix time

  bool operator==(const IndexEntry&) const = default;
};

// An entry and where it stands: the position among all packages of the repository, the same in the three files.
struct ListedPackage {
  std::size_t position = 0;
  IndexEntry entry;

  bool operator==(const ListedPackage&) const = default;
};

}  // namespace repoupdate
