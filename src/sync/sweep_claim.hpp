// SPDX-License-Identifier: Apache-2.0
// A sweep says that it is about to delete, by an object repodata/.repoupdate/sweeping.txt, before it looks at each file
// for the last time; a publication that puts an old file again looks for that object afterwards. So one of the two
// always sees the other (docs/decisions/0023-sweep.md).
#pragma once

#include <optional>
#include <stop_token>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "sync/repository.hpp"
#include "sync/sweep_policy.hpp"

namespace repoupdate {

inline constexpr std::string_view k_sweeping_key = "repodata/.repoupdate/sweeping.txt";

// One sweep at a time. conflict: somebody else sweeps this repository. Where the store has no conditional writes the
// claim is made with the lease in hand, which is given back at once. Returns how long ago it was said at most.
Result<Elapsed> claim_sweep(const Repository& repository, Clock& clock, std::stop_token stop);

// For who knows what became of all its deletions. A failure leaves the claim behind, and so does who is late, since it
// may be somebody else's by the time: others take it for over after k_sweep_believed.
void release_sweep(const Repository& repository, const Elapsed& claimed, const Clock& clock);

// Returns when nobody deletes any more that said so before this was called. cancelled: a stop was requested.
Result<void> wait_for_sweeps(const Repository& repository, Clock& clock, std::stop_token stop);

}  // namespace repoupdate
