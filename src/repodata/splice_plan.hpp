// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// An edit turned into positions. Made once and followed in each of the three files, so they cannot disagree about
// the order (invariant I7).
struct SplicePlan {
  struct Erase {
    std::size_t position;
    std::string_view pkgid;  // of the edit
  };
  struct Insert {
    std::size_t before;           // position of a package, or their number: behind the last
    const PackageRecord* record;  // of the edit
  };
  std::vector<Erase> erases;    // ascending
  std::vector<Insert> inserts;  // in the order in which they will stand
  std::size_t packages = 0;     // listed afterwards
};

// More packages than this that belong to different places of a repository of more frames than this are put behind
// the last one instead: each place costs a frame of each file. Clients do not mind the order (decision 6).
inline constexpr std::size_t k_max_scattered = 8;

// So are packages whose fragments are larger than this together, in bytes: within old frames all of them would have to
// be in memory at once.
inline constexpr std::uint64_t k_max_in_place = 64U << 20;

// createrepo_c sorts by file name, then by path. An insert goes before the first entry that is greater in that order,
// never before an earlier insert, and one that replaces an erased package of the same href to its place; in a
// repository sorted that way the result is sorted too. `edit` must outlive the plan. invalid: the edit is not sorted
// as MetadataEdit says, or erases what is not there.
Result<SplicePlan> plan_splice(const RepoIndex& index, const MetadataEdit& edit);

}  // namespace repoupdate
