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

std::optional<int> RetryQuota::pay(bool after_timeout) {
  const int price = after_timeout ? m_costs.after_timeout : m_costs.retry;
  if (price > m_left) return std::nullopt;
  m_left -= price;
  return price;
}

void RetryQuota::succeeded(int paid) {
  m_left = std::min(m_costs.capacity, m_left + (paid > 0 ? paid : m_costs.refund));
}

double jitter() {
  thread_local std::minstd_rand engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
}

}  // namespace repoupdate
