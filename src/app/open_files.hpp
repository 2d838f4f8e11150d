// SPDX-License-Identifier: Apache-2.0
// How many files and connections this process may have open, and what follows from that.
#pragma once

#include <cstddef>
#include <cstdint>

namespace repoupdate {

// Raises the soft limit to the hard one, or to 65,536 where that is less, and returns what it is then; it is never
// lowered. Nothing here waits by select(), for which it is 1,024 usually.
std::uint64_t raise_open_file_limit();

// Of how many repositories a daemon may keep the metadata files open, three each. 512 files are left for connections (128
// of them, three descriptors each) and for what updates need. At least 16.
std::size_t repositories_to_remember(std::uint64_t open_files);

}  // namespace repoupdate
