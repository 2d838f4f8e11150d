// SPDX-License-Identifier: Apache-2.0
// A segment table is a hint. Before anything is built on it, every frame is read and compared with what it says.
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// Reads every frame of the three files: each holds what its table says (sizes, CRC, packages, names), their first
// frames are prologs and their last ones trailers, and they list the same pkgids in the same order (I7). Sets
// `proven` and `nevras`. corrupt, naming the file, when something does not agree; whether a table lied or the files are
// wrong is found out by cutting them anew (take_over.hpp).
Result<void> prove(RepoIndex& index, std::size_t threads);

}  // namespace repoupdate
