// SPDX-License-Identifier: Apache-2.0
#include "app/signals.hpp"

namespace repoupdate {

Signals::Signals() {
  sigemptyset(&m_signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&m_signals, signal);
  pthread_sigmask(SIG_BLOCK, &m_signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  m_watcher = std::jthread([this](std::stop_token end) { watch(end); });
}

Signals::~Signals() {
  m_watcher.request_stop();
  pthread_kill(m_watcher.native_handle(), SIGHUP);  // it waits for nothing else
}

std::stop_token Signals::next_hangup() {
  const std::scoped_lock lock(m_mutex);
  m_hangup = std::stop_source();
  return m_hangup.get_token();
}

void Signals::on_impatience(std::function<void()> action) {
  const std::scoped_lock lock(m_mutex);
  m_impatience = std::move(action);
}

void Signals::watch(std::stop_token end) {
  for (;;) {
    const int signal = sigwaitinfo(&m_signals, nullptr);
    if (end.stop_requested()) return;
    if (signal == SIGHUP) {
      const std::scoped_lock lock(m_mutex);
      m_hangup.request_stop();
    } else if (signal == SIGINT || signal == SIGTERM) {
      if (m_stop.request_stop()) continue;
      const std::scoped_lock lock(m_mutex);
      if (m_impatience) m_impatience();
    }
  }
}

}  // namespace repoupdate
