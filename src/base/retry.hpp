// SPDX-License-Identifier: Apache-2.0
// How long to wait before trying again. Pure: no clock, no socket, no random source of its own.
#pragma once

#include <optional>

#include "base/clock.hpp"

namespace repoupdate {

struct RetryPolicy {
  int attempts = 5;  // in all, the first one included
  int throttled_attempts =
      12;              // the same when the last refusal was for sending too much: what is sent is cut meanwhile
  Duration base{100};  // delay of the first retry before jitter
  Duration ceiling{std::chrono::seconds(20)};
};

// Full jitter: `jitter` (0 to 1) times min(ceiling, base * 2^(attempt-1)). `attempt` counts the tries
// that failed so far, from 1. A server's hint (Retry-After) is a lower bound, itself at most the ceiling.
Duration retry_delay(const RetryPolicy& policy, int attempt, double jitter,
                     std::optional<Duration> server_hint = std::nullopt);

// What all calls to one service may spend on retries together: a service that fails everything is soon asked only once
// for each call, until calls succeed again. Source of the numbers: AWS's standard retry mode.
struct RetryCosts {
  int capacity = 500;
  int retry = 5;
  int after_timeout = 10;
  int refund = 1;  // of a success at the first attempt; a later success gives back what its last retry cost
};

// Not thread-safe: the owner locks.
class RetryQuota {
public:
  explicit RetryQuota(RetryCosts costs = {}) : m_costs(costs), m_left(costs.capacity) {}

  // What one more attempt costs, now paid; nothing when it cannot be paid.
  std::optional<int> pay(bool after_timeout);
  // `paid`: for the last retry of the call that succeeded; 0 when it needed none.
  void succeeded(int paid);
  int left() const { return m_left; }

private:
  RetryCosts m_costs;
  int m_left;
};

// A random number in [0, 1) for the above; thread-safe.
double jitter();

}  // namespace repoupdate
