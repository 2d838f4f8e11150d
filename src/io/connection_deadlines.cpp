// SPDX-License-Identifier: Apache-2.0
#include "io/connection_deadlines.hpp"

#include <sys/socket.h>

#include <algorithm>

namespace repoupdate {

ConnectionDeadlines::ConnectionDeadlines(Duration each)
    : m_each(each), m_watcher([this](std::stop_token stop) { watch(std::move(stop)); }) {}

void ConnectionDeadlines::add(const void* key, int socket) {
  const std::scoped_lock lock(m_mutex);
  m_connections[key] = {socket, std::chrono::steady_clock::now() + m_each};
  m_added.notify_one();
}

void ConnectionDeadlines::remove(const void* key) {
  const std::scoped_lock lock(m_mutex);
  m_connections.erase(key);
}

void ConnectionDeadlines::watch(std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime next = now + m_each;
    for (auto i = m_connections.begin(); i != m_connections.end();) {
      if (i->second.until > now) {
        next = std::min(next, i->second.until);
        ++i;
        continue;
      }
      ::shutdown(i->second.socket, SHUT_RDWR);
      i = m_connections.erase(i);
    }
    // While there are none, the first one to be added wakes us; later ones end later than those that are there.
    const bool none = m_connections.empty();
    m_added.wait_until(lock, stop, next, [&] { return none && !m_connections.empty(); });
  }
}

}  // namespace repoupdate
