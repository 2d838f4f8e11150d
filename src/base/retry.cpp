// SPDX-License-Identifier: Apache-2.0
#include "base/retry.hpp"

#include <algorithm>
#include <random>

namespace repoupdate {

Duration retry_delay(const RetryPolicy& policy, int attempt, double jitter, std::optional<Duration> server_hint) {
  Duration window = policy.base;
  for (int i = 1; i < attempt && window < policy.ceiling; ++i) window *= 2;
  window = std::min(window, policy.ceiling);
  auto delay = std::chrono::duration_cast<Duration>(window * std::clamp(jitter, 0.0, 1.0));
  if (server_hint) delay = std::max(delay, std::min(*server_hint, policy.ceiling));
  return delay;
}

double jitter() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace repoupdate
