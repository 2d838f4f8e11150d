// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again. Pure: no clock, no socket, no random source of its own.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace repoupdate {

struct RetryPolicy {
  int attempts = 5;    // in all, the first one included
  Duration base{100};  // delay of the first retry before jitter
  Duration ceiling{std::chrono::seconds(20)};
};

// Full jitter: `jitter` (0 to 1) times min(ceiling, base * 2^(attempt-1)). `attempt` counts the tries
// that failed so far, from 1. A server's hint (Retry-After) is a lower bound, itself at most the ceiling.
Duration retry_delay(const RetryPolicy& policy, int attempt, double jitter,
                     std::optional<Duration> server_hint = std::nullopt);

// A random number in [0, 1) for the above; thread-safe.
double jitter();

}  // namespace repoupdate
