// SPDX-License-Identifier: Apache-2.0
// Compares a listing with what the metadata say. The result is only a set of keys to look at.
#pragma once

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object.hpp"
#include "sync/known_objects.hpp"
#include "sync/plan.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct PackageObjects {
  std::vector<ObjectInfo> packages;      // all of the repository that the store has; keys become hrefs, ascending
  std::optional<ETag> signature;         // of repomd.xml, when there is one
  std::optional<ObjectInfo> quarantine;  // the object that holds it; listings of directories do not show it
};
Result<PackageObjects> list_package_objects(const Repository& repository);

enum class Suspicion {
  usual,   // an object is taken for the listed one as described below
  reread,  // every object whose Last-Modified is not the listed <time file> is looked at
};

// Hrefs that may have changed: objects without an entry, entries without an object, objects of another size than
// their entry's, and objects that are not older than repomd.xml. Older ones of the same size were there when it was
// written and are taken for the listed ones, whatever <time file> says: repositories of other tools carry the time of
// a local file there. An upload in parts is dated by AWS from its beginning, so it may be older than metadata that know
// nothing of it: one that began in the last k_longest_upload before repomd.xml counts as newer, unless its time is the
// listed <time file>, as that of every package which we have listed, or it is among `known`. That costs the packages of
// other tools' metadata a look by each process and no more: a HEAD, or all of their bytes where no SHA-256 is recorded.
// Where the store's times are those of files, and with `reread`, a time that differs counts too.
// `listed` holds all entries; `pointer_modified` is the Last-Modified of repomd.xml.
// Entries that are no package of this repository ("../pool/x.rpm", another xml:base) are left alone.
inline constexpr std::chrono::hours k_longest_upload{1};  // more would have whole migrations read again
std::set<std::string> find_differences(const Repository& repository, const std::vector<ObjectInfo>& objects,
                                       const ListedEntries& listed, SystemTime pointer_modified, Suspicion suspicion,
                                       const KnownObjects& known);

// After the look: of `known` what the listing still shows, and what was found to be unchanged. Only uploads in parts.
KnownObjects known_after(KnownObjects known, const std::vector<ObjectInfo>& objects, const ListedEntries& listed,
                         const std::vector<Finding>& findings);

}  // namespace repoupdate
