// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <vector>

#include "model/event.hpp"

namespace repoupdate {

// Keys of one repository to look at, merged from any number of events, with the receipts of every message
// merged into it: they are acknowledged when what was found is visible (invariant I4).
struct ChangeSet {
  // location_href (the key below the repository's prefix) to the spelling to try when that is not there.
  std::map<std::string, std::string> keys;
  std::vector<Receipt> receipts;

  bool empty() const { return keys.empty() && receipts.empty(); }
};

}  // namespace repoupdate
