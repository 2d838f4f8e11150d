// SPDX-License-Identifier: Apache-2.0
#include "sync/write_turn.hpp"

#include <utility>

namespace repoupdate {
namespace {

constexpr int k_renewals_per_length = 3;

}  // namespace

WriteTurn::~WriteTurn() {
  m_heartbeat = {};
  if (m_lease && !m_expires) m_lease->release();
}

Result<void> WriteTurn::take(std::stop_token stop) {
  {
    const std::scoped_lock lock(m_mutex);
    if (m_lease && m_lease->held()) return {};
  }
  m_heartbeat = {};
  const RepositoryPolicy& policy = m_repository.policy;
  m_lease.emplace(*m_repository.store, m_repository.name, m_repository.prefix, policy.lease, m_clock);
  if (auto acquired = m_lease->acquire(std::move(stop)); !acquired) return acquired;
  m_heartbeat = std::jthread([this](std::stop_token done) { keep_alive(std::move(done)); });
  return {};
}

Result<SteadyTime> WriteTurn::confirm() {
  const std::scoped_lock lock(m_mutex);
  return m_lease->confirm();
}

// A renewal that fails is tried again by the next one, or the lease runs out: confirm() tells.
void WriteTurn::keep_alive(std::stop_token done) {
  const Duration pause = m_repository.policy.lease.length / k_renewals_per_length;
  while (m_clock.sleep_for(pause, done)) {
    const std::scoped_lock lock(m_mutex);
    if (!m_lease->renew() && !m_lease->held()) return;
  }
}

}  // namespace repoupdate
