// SPDX-License-Identifier: Apache-2.0
// What becomes of a message that can never be acted on: nobody understands it, or what it names is no package. It
// must neither be lost nor come again for ever (semantics 9, docs/decisions/0011-poison-messages.md). Pure.
#pragma once

#include <algorithm>

#include "base/clock.hpp"

namespace repoupdate {

struct PoisonPolicy {
  int park_after = 5;  // deliveries; only where the queue has no redrive policy of its own
  Duration visibility{std::chrono::seconds(120)};
};

enum class PoisonVerdict {
  left_to_the_queue,  // comes again, until its redrive policy moves it to the dead-letter queue
  tried_again,        // hidden for poison_delay()
  parked,             // told in the log, then acknowledged
};

inline constexpr Duration k_longest_poison_delay{std::chrono::hours(1)};

// `receives`: how often the message was delivered so far; 0, not known, is never enough for parking.
inline PoisonVerdict judge_poison(const PoisonPolicy& policy, int receives, bool has_dead_letter_queue) {
  if (has_dead_letter_queue) return PoisonVerdict::left_to_the_queue;
  return receives >= policy.park_after ? PoisonVerdict::parked : PoisonVerdict::tried_again;
}

// The visibility timeout, doubled with each delivery after the first: at most an hour, or the visibility timeout
// where that is longer.
inline Duration poison_delay(const PoisonPolicy& policy, int receives) {
  const Duration ceiling = std::max(policy.visibility, k_longest_poison_delay);
  Duration delay = policy.visibility;
  for (int i = 1; i < receives && delay < ceiling; ++i) delay *= 2;
  return std::min(delay, ceiling);
}

}  // namespace repoupdate
