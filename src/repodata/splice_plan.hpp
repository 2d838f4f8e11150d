// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// An edit turned into positions. Made once and followed in each of the three files, so they cannot disagree about
// the order (invariant I7).
struct SplicePlan {
  struct Insert {
    std::size_t before;           // position of an entry, or their number: behind the last
    const PackageRecord* record;  // of the edit
  };
  std::vector<bool> erased;     // for each entry
  std::vector<Insert> inserts;  // in the order in which they will stand
  std::size_t packages = 0;     // listed afterwards
};

// createrepo_c sorts by file name, then by path. An insert goes before the first entry that is greater in that order,
// never before an earlier insert; in a repository sorted that way the result is sorted too.
// `edit` must outlive the plan. invalid: the edit was not planned on this index, is not sorted as
// MetadataEdit says, or lists an href that stays.
Result<SplicePlan> plan_splice(const RepoIndex& index, const MetadataEdit& edit);

}  // namespace repoupdate
