// SPDX-License-Identifier: Apache-2.0
// The difference between the repository as it is and as it shall be: a value that can be printed, tested
// and applied, and that touches nothing by existing.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/nevra.hpp"
#include "model/package_record.hpp"

namespace repoupdate {

struct MetadataEdit {
  struct Erase {
    std::size_t position;  // of the entry in the index that the edit was planned on
    std::string location_href;
    std::string pkgid;  // hex
    Nevra nevra;
  };

  std::vector<Erase> erases;           // ascending by position, each position once
  std::vector<PackageRecord> inserts;  // ascending by (basename, location_href), each href once

  bool empty() const { return erases.empty() && inserts.empty(); }
};

// One line a package, sorted by location_href: "+ NEVRA href", "- NEVRA href", "~ NEVRA href" for an href
// that is erased and inserted. Ends in '\n' unless the edit is empty.
std::string to_string(const MetadataEdit& edit);

}  // namespace repoupdate
