// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>

namespace repoupdate {

// Turns SIGINT and SIGTERM into a requested stop, and SIGHUP into a request to reload. Made before any other
// thread, so that all threads inherit the blocked signals.
class Signals {
public:
  Signals();
  ~Signals();

  std::stop_token stop() const { return m_stop.get_token(); }
  // Requested by the next SIGHUP after this call.
  std::stop_token next_hangup();
  // Called on the second SIGINT or SIGTERM, for somebody who does not want to wait.
  void on_impatience(std::function<void()> action);

private:
  void watch(std::stop_token end);

  sigset_t m_signals{};
  std::stop_source m_stop;
  std::mutex m_mutex;
  std::stop_source m_hangup;
  std::function<void()> m_impatience;
  std::jthread m_watcher;
};

}  // namespace repoupdate
