// SPDX-License-Identifier: Apache-2.0
// From what the metadata list and what was found in the store to the edit between them. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "repodata/repo_index.hpp"
#include "sync/package_fetch.hpp"

namespace repoupdate {

// What to do with a package whose NEVRA is listed already, under another key.
enum class SameNevra {
  keep,     // list both
  replace,  // list the one whose object is newer
  reject,   // do not list the second one
};

struct PackageFailure {
  std::string href;
  Error error;
};

struct Plan {
  MetadataEdit edit;
  std::vector<PackageFailure> failures;  // findings that are Errors, and packages that the policy rejects
  std::vector<std::string> notes;        // one sentence for each NEVRA that is listed under two keys
};

// Findings may name hrefs in any order, each once. An entry whose location_base is set belongs to another
// store and is touched by an explicit removal only. An unchanged world gives an empty edit (invariant I5).
Plan plan_edit(const RepoIndex& index, std::vector<Finding> findings, const std::set<std::string>& removals,
               SameNevra policy);

// The listed entries by the key that their href means. The index must outlive it.
class ListedEntries {
public:
  explicit ListedEntries(const RepoIndex& index);

  // The entry that describes the object of that key, or null: one of this repository, else one with an xml:base,
  // which may name another way to the same object.
  const IndexEntry* find(std::string_view href) const;

  // Positions of all entries of this repository with that href (foreign metadata may repeat one), or of the
  // entries of that href with whatever base.
  std::vector<std::size_t> positions(std::string_view href) const;
  std::vector<std::size_t> positions_of_any_base(std::string_view href) const;

private:
  const RepoIndex& m_index;
  std::vector<std::size_t> m_by_href;  // positions, ascending by href, those without a base first
};

}  // namespace repoupdate
