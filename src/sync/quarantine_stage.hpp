// SPDX-License-Identifier: Apache-2.0
// What an update does about the quarantine: what stands in it and has not changed is not read again, what cannot be listed
// goes into it, and what is listed, replaced or gone leaves it. Nothing of this costs a request while nothing is in it and
// nothing fails.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "sync/look.hpp"
#include "sync/plan.hpp"
#include "sync/quarantine.hpp"
#include "sync/reconcile.hpp"

namespace repoupdate {

struct QuarantineReport {
  std::vector<QuarantineRecord> held;  // in quarantine before, the same bytes still: not looked at, not listed
  std::vector<std::string> added;      // keys that went into it
  std::vector<std::string> released;   // keys that left it
  std::optional<std::size_t> total;    // records now; none: nobody had to look
  std::size_t not_recorded = 0;        // it is full
  std::optional<Error> failure;        // it could not be read or written; the update is done all the same
};

// One update's. Holds references, which must outlive it.
class QuarantineStage {
public:
  // What this process remembers of the quarantine is all that is known until a listing shows more.
  QuarantineStage(const Repository& repository, WriteTurn& turn, Clock& clock);

  // Before a comparison with a listing: reads the records if it shows that there are any that are not known.
  void look(const PackageObjects& listing);

  // Of `keys` that differ between listing and metadata: takes out what stands in quarantine unchanged, and puts in what
  // is another object by now.
  void hold_back(const PackageObjects& listing, std::set<std::string>& keys);

  // After all is published: writes down the failures that will not pass, and those that may with `passing`, too; drops
  // the records of what was looked at without a failure, and of what the listing did not show.
  QuarantineReport settle(const std::vector<PackageFailure>& failures, const Findings& findings,
                          const PackageObjects* listing, bool passing, std::stop_token stop);

  // The same without writing.
  QuarantineReport report() const { return m_report; }

private:
  struct Change;
  void know(QuarantineSight sight);
  bool is_kept() const { return m_repository.quarantine.is_kept; }
  QuarantineRecord record_of(const PackageFailure& failure, const Findings& findings) const;
  std::vector<std::string> released(const std::vector<PackageFailure>& failures, const Findings& findings,
                                    const PackageObjects* listing) const;

  const Repository& m_repository;
  WriteTurn& m_turn;
  Clock& m_clock;
  std::optional<QuarantineSight> m_sight;
  QuarantineReport m_report;
};

}  // namespace repoupdate
