// SPDX-License-Identifier: Apache-2.0
// The quarantine of a repository: a small object with a record of each package that cannot be listed. It is written by
// compare-and-swap, or in the lease's turn, so any number of writers may keep it. Without records it is empty: a listing
// tells so, and nobody needs the right to delete it.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "sync/quarantine_record.hpp"
#include "sync/repository.hpp"
#include "sync/write_turn.hpp"

namespace repoupdate {

inline constexpr std::string_view k_quarantine_key = "repodata/.repoupdate/quarantine.json";

// One GET. Bytes that are no quarantine count as no records, and are replaced with the next one; unsupported: they are
// of a later version of this program.
Result<QuarantineSight> read_quarantine(const Repository& repository);

// Applies `edit`, which may be called several times, to the records as they are, and writes them if that changes them.
// `known`, if given, saves reading them first where they are still so. Returns them as they are then: at most
// k_max_quarantined. conflict: others kept writing.
using QuarantineEdit = std::function<void(QuarantineRecords&)>;
Result<QuarantineSight> edit_quarantine(const Repository& repository, WriteTurn& turn, Clock& clock,
                                        const QuarantineEdit& edit, std::optional<QuarantineSight> known,
                                        std::stop_token stop);

}  // namespace repoupdate
