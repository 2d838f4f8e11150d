// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "model/checksum.hpp"
#include "model/fragments.hpp"
#include "model/nevra.hpp"

namespace repoupdate {

// A package as the repository will list it: what was read from its header, and the XML that says so.
struct PackageRecord {
  Nevra nevra;
  Checksum pkgid;              // SHA-256 of the whole file
  std::string location_href;   // raw key below the repository root
  std::string vendor;          // empty: it names none
  std::uint64_t size = 0;      // bytes of the whole file
  std::int64_t time_file = 0;  // Unix time: the object's Last-Modified as first indexed
  // One `<package>` element for each metadata file, byte for byte as createrepo_c writes it, ending in '\n'.
  Fragments fragments;
};

}  // namespace repoupdate
