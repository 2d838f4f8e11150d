// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "model/event.hpp"

namespace repoupdate {

// Keys of one repository to look at, merged from any number of events. It carries the receipts of every
// message merged into it: they are acknowledged when what was found is visible (invariant I4).
struct ChangeSet {
  struct Key {
    std::string raw_href;  // spelling to try when the href is not there; empty: none
    // Messages that wait for this key; a message may wait for several. Their handles may be old by now: the ledger
    // has the newest.
    std::vector<Receipt> receipts;
    // All that is known of it tells that it was removed: then one 404 is enough. It saves a request, and decides nothing.
    bool said_gone = false;
  };

  // location_href (the key below the repository's prefix) to what is known about it. The object as it is
  // now decides what happens.
  std::map<std::string, Key> keys;

  // Entries to drop although their objects may still be there: an explicit removal is published first and
  // its objects are deleted afterwards.
  std::set<std::string> removals;

  bool empty() const { return keys.empty() && removals.empty(); }
};

}  // namespace repoupdate
