// SPDX-License-Identifier: Apache-2.0
// Removes what nobody needs any more below repodata/: superseded metadata after a grace period, files of publications
// that lost or crashed, and our own uploads that never ended. Never anything unknown (semantics 26,
// docs/decisions/0023-sweep.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object.hpp"
#include "sync/repository.hpp"
#include "sync/sweep_plan.hpp"

namespace repoupdate {

struct SweepItem {
  SweepFile file;
  bool removed = false;
  bool left = false;             // for the next sweep: this one took too long
  std::string kept;              // why it stays although it should have gone: the world has changed meanwhile
  std::optional<Error> failure;  // why it could not be removed
};

struct SweepReport {
  std::vector<SweepItem> items;
  bool is_partial = false;             // more than one sweep can do: the next one goes on
  std::vector<PendingUpload> uploads;  // of metadata files, abandoned; keys below the repository's root
  std::vector<Error> upload_failures;  // those that could not be dropped, or why they cannot be told
  std::optional<Duration> due_in;      // until more may go; none: not before something is published

  std::size_t removed() const;
  std::size_t failed() const;
  std::size_t unnamed() const;  // files that were superseded and stay for now
  std::uint64_t removed_bytes() const;
};

// What one sweep looks at is bounded (SweepPolicy::most): of what may go the oldest, of all else the first. With
// `dry_run` nothing is written or removed, and `removed` says what would have been.
//   not_found  there is no repository: nothing is known to be superseded
//   corrupt    repomd.xml cannot be read
//   conflict   another sweep is under way
//   cancelled  a stop was requested; what was removed by then was rightly so
Result<SweepReport> sweep(const Repository& repository, bool dry_run, Clock& clock, std::stop_token stop);

}  // namespace repoupdate
