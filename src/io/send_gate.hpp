// SPDX-License-Identifier: Apache-2.0
// Where all requests of a sender pass before they leave. A service that refuses one as one too many slows down all that
// go to the same host, not only the one that was told; and what retries to it may cost is counted together.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/retry.hpp"
#include "base/send_rate.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_gate_hosts = 1024;  // beyond it, what was learnt of all of them is forgotten

// Thread-safe. The clock must outlive it.
class SendGate {
public:
  explicit SendGate(Clock& clock) : m_clock(clock) {}

  // Waits until a request to the host may leave, and gives the time of its leaving; nothing: a stop was requested, or
  // it may not leave by the deadline, which is told at once.
  std::optional<SteadyTime> pass(const std::string& host, const std::stop_token& stop,
                                 std::optional<SteadyTime> deadline = {});

  // See SendRate::refused() and RetryQuota.
  void refused(const std::string& host, SteadyTime left, std::optional<Duration> pause);
  std::optional<int> pay_for_retry(const std::string& host, bool after_timeout);
  void succeeded(const std::string& host, int paid);

private:
  struct Service {
    SendRate rate;
    RetryQuota quota;
  };
  Service& of(const std::string& host);

  Clock& m_clock;
  std::mutex m_mutex;
  std::map<std::string, Service> m_services;  // by host
};

}  // namespace repoupdate
