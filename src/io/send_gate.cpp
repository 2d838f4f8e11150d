// SPDX-License-Identifier: Apache-2.0
#include "io/send_gate.hpp"

namespace repoupdate {

// The caller holds the lock.
SendGate::Service& SendGate::of(const std::string& host) {
  if (m_services.size() >= k_max_gate_hosts && !m_services.contains(host)) m_services.clear();
  return m_services[host];
}

std::optional<SteadyTime> SendGate::pass(const std::string& host, const std::stop_token& stop,
                                         std::optional<SteadyTime> deadline) {
  for (;;) {
    SendRate::Place place;
    Duration wait{0};
    {
      const std::scoped_lock lock(m_mutex);
      SendRate& rate = of(host).rate;
      const SteadyTime now = m_clock.steady();
      place = rate.reserve(now);
      if (deadline && place.at >= *deadline) return std::nullopt;
      if (place.at <= now) {
        rate.leave(place, now);  // nobody came between
        return now;
      }
      wait = std::chrono::ceil<Duration>(place.at - now);
    }
    if (!m_clock.sleep_for(wait, stop)) return std::nullopt;
    const std::scoped_lock lock(m_mutex);
    const SteadyTime now = m_clock.steady();
    if (of(host).rate.leave(place, now)) return now;
  }
}

void SendGate::refused(const std::string& host, SteadyTime left, std::optional<Duration> pause) {
  const std::scoped_lock lock(m_mutex);
  of(host).rate.refused(left, m_clock.steady(), pause);
}

std::optional<int> SendGate::pay_for_retry(const std::string& host, bool after_timeout) {
  const std::scoped_lock lock(m_mutex);
  return of(host).quota.pay(after_timeout);
}

void SendGate::succeeded(const std::string& host, int paid) {
  const std::scoped_lock lock(m_mutex);
  of(host).quota.succeeded(paid);
}

}  // namespace repoupdate
