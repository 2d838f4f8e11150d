// SPDX-License-Identifier: Apache-2.0
// One update of one repository: the whole flow from a change set to what readers see.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/change_set.hpp"
#include "model/metadata_edit.hpp"
#include "sync/plan.hpp"
#include "sync/quarantine_stage.hpp"
#include "sync/reconcile.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct UpdateRequest {
  ChangeSet changes;
  bool reconcile = false;  // look at every difference between listing and metadata as well
  Suspicion suspicion = Suspicion::usual;
  bool rebuild = false;       // build on nothing that the metadata say; implies reconcile
  bool allow_shrink = false;  // somebody has said that it may drop whatever it drops
  bool dry_run = false;       // stop before the first PUT
  // Failures that may pass go into quarantine, too: they have been tried often enough for somebody to be told.
  bool quarantine_passing = false;
};

struct UpdateReport {
  std::vector<MetadataEdit> edits;  // what was published (or would be, in a dry run); fragments left out
  bool published = false;
  std::string revision;      // of repomd.xml as it is now
  std::size_t packages = 0;  // listed now
  int lost_races = 0;
  std::vector<PackageFailure> failures;      // not listed, or listed as before; their neighbours are published
  std::vector<std::string> unknown;          // named keys that are neither in the store nor listed
  std::vector<std::string> notes;            // same NEVRA under two keys
  std::vector<std::string> dropped_records;  // derived records that would have been stale
  std::vector<std::string> repaired;         // metadata files that had other bytes than their names say; put again
  bool signed_anew =
      false;  // nothing was published, and the signature did not fit repomd.xml or was missing: put again
  QuarantineReport quarantine;

  std::size_t added() const;
  std::size_t replaced() const;
  std::size_t removed() const;
};

// Brings the metadata in line with the store for everything that the request names. When it returns a report,
// each named key is visible as it is, was already, or stands in `failures`: its messages may be acknowledged. What a
// comparison with the listing finds is, too, or stands in `quarantine.held`.
// An Error concerns the whole repository; nothing was lost, do the same again later.
//   not_found  there is no repository and the policy does not create one
//   conflict   others kept publishing, policy.attempts times
//   unconfirmed  it would drop more packages than policy.shrink lets go; nothing was changed
//   cancelled  a stop was requested; what had been published by then is consistent
Result<UpdateReport> update(const Repository& repository, const UpdateRequest& request, Clock& clock,
                            std::stop_token stop);

// Publishes an empty repository. precondition_failed when there is one.
Result<UpdateReport> create_repository(const Repository& repository, Clock& clock);

}  // namespace repoupdate
