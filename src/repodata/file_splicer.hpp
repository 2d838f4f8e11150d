// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "repodata/segmented_file.hpp"
#include "repodata/splice_plan.hpp"

namespace repoupdate {

// Writes one file as the plan says: the frames that the edit touches are decompressed, edited and compressed anew
// as far as their bytes changed, all others are parts of the old file. `stored` of the result is made of those and
// of new bytes in memory. Segments that are not where the table says are compressed anew. corrupt when a touched frame
// is not what the table says; invalid when it does not list what the plan erases.
Result<SegmentedFile> splice_file(const SegmentedFile& file, const SplicePlan& plan, std::size_t threads);

}  // namespace repoupdate
