// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/index_entry.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {

struct PrimaryListing {
  std::vector<ListedPackage> packages;  // those that were asked for, ascending by position
  std::size_t total = 0;
};

// What a stored primary of whatever origin lists, read from front to back and compared with the size and checksum
// that repomd states (semantics 28). With `names`, only the packages whose file name is one of them.
// corrupt or unsupported: the message names the file.
Result<PrimaryListing> read_primary(const Repomd& repomd, const SharedBytes& stored,
                                    const std::set<std::string>* names = nullptr);

}  // namespace repoupdate
