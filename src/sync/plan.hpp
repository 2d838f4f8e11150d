// SPDX-License-Identifier: Apache-2.0
// From what the metadata list and what was found in the store to the edit between them. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "repodata/index_entry.hpp"
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
  bool is_listed = false;          // stays listed as it was
  bool depends_on_others = false;  // on what else is listed: the same bytes may be good later
};

struct Plan {
  MetadataEdit edit;
  std::vector<PackageFailure> failures;  // findings that are Errors, and packages that the policy rejects
  std::vector<std::string> notes;        // one sentence for each NEVRA that is listed under two keys
};

// The listed packages that matter for an edit, by the key that their href means.
class ListedEntries {
public:
  explicit ListedEntries(std::vector<ListedPackage> packages);  // in any order

  // The entry that describes the object of that key, or null: one of this repository, else one with an xml:base,
  // which may name another way to the same object.
  const IndexEntry* find(std::string_view href) const;

  // All entries of this repository with that href (foreign metadata may repeat one), or the entries of that
  // href with whatever base.
  std::vector<const ListedPackage*> at(std::string_view href) const;
  std::vector<const ListedPackage*> at_any_base(std::string_view href) const;

  const std::vector<ListedPackage>& packages() const { return m_packages; }

private:
  std::vector<ListedPackage> m_packages;  // ascending by key, those without a base first
};

struct PlanPolicy {
  SameNevra same_nevra = SameNevra::keep;
  bool immutable = false;
};

// Under a policy that lists one package of a NEVRA, another one may have stood back behind the one that goes, and nobody
// but a listing knows of it. True when the edit takes away the last package of a NEVRA that it knows.
bool may_let_another_in(const MetadataEdit& edit, const PlanPolicy& policy);

// True only when plan_edit() would give an empty edit.
bool is_settled(const ListedEntries& listed, const std::vector<Finding>& findings,
                const std::set<std::string>& removals, const PlanPolicy& policy);

// Findings may name hrefs in any order, each once; `listed` holds all packages of their file names, and all that
// have the NEVRA of a package that was found. An entry whose location_base is set belongs to another store and is
// touched by an explicit removal only. An unchanged world gives an empty edit (invariant I5).
// The entry of a key whose object the rules refuse (Finding::is_refused) is erased: the bytes that it describes are not
// there. With `immutable` it stays, and what would replace it with other bytes, under its key or under its NEVRA, is a
// failure.
Plan plan_edit(const ListedEntries& listed, std::vector<Finding> findings, const std::set<std::string>& removals,
               const PlanPolicy& policy);

}  // namespace repoupdate
