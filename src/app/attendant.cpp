// SPDX-License-Identifier: Apache-2.0
#include "app/attendant.hpp"

#include <algorithm>

namespace repoupdate {
namespace {

constexpr Duration k_look_every{std::chrono::seconds(2)};

std::string line_of(std::string_view state, const std::vector<Health::Reason>& reasons) {
  const Health::Reason& first = reasons.front();
  const std::string more = reasons.size() > 1 ? " and " + std::to_string(reasons.size() - 1) + " more" : "";
  return std::string(state) + ": " + first.what + ' ' + first.name + ": " + first.text + more;
}

}  // namespace

Attendant::Attendant(Clock& clock, const Log& log, const Health& health, const ServiceNotifier& notifier)
    : m_clock(clock), m_log(log), m_health(health), m_notifier(notifier), m_thread([this](std::stop_token stop) {
        attend(std::move(stop));
      }) {}

void Attendant::attend(std::stop_token stop) {
  while (m_clock.sleep_for(std::min(m_notifier.watchdog_interval().value_or(k_look_every), k_look_every), stop)) {
    const auto not_alive = m_health.why_not_alive();
    if (not_alive.empty() && m_notifier.watchdog_interval()) m_notifier.send("WATCHDOG=1");
    if (!not_alive.empty() && m_is_alive)
      m_log.error("a thread is stuck", {{"thread", not_alive.front().name}, {"reason", not_alive.front().text}});
    m_is_alive = not_alive.empty();
    tell(status_of(not_alive, m_health.why_not_ready()));
  }
}

void Attendant::tell(const std::string& status) {
  if (!m_notifier.is_on() || status == m_told) return;
  m_notifier.send("STATUS=" + status_line(status));
  m_told = status;
}

std::string status_of(const std::vector<Health::Reason>& not_alive, const std::vector<Health::Reason>& not_ready) {
  if (!not_alive.empty()) return line_of("stuck", not_alive);
  return not_ready.empty() ? "all is well" : line_of("not ready", not_ready);
}

}  // namespace repoupdate
