// SPDX-License-Identifier: Apache-2.0
// Looks after the daemon from outside of its threads: feeds systemd's watchdog while it lives, and tells how it fares.
#pragma once

#include <stop_token>
#include <string>
#include <thread>

#include "app/health.hpp"
#include "app/notify.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"

namespace repoupdate {

// Runs from its making to its end. The references must outlive it.
class Attendant {
public:
  Attendant(Clock& clock, const Log& log, const Health& health, const ServiceNotifier& notifier);

private:
  void attend(std::stop_token stop);
  void tell(const std::string& status);

  Clock& m_clock;
  const Log& m_log;
  const Health& m_health;
  const ServiceNotifier& m_notifier;
  std::string m_told;  // the last STATUS=
  bool m_is_alive = true;
  std::jthread m_thread;  // last: it uses the others
};

// One line of what is wrong, for STATUS=; "all is well" when nothing is.
std::string status_of(const std::vector<Health::Reason>& not_alive, const std::vector<Health::Reason>& not_ready);

}  // namespace repoupdate
