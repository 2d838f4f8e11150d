// SPDX-License-Identifier: Apache-2.0
// No connection lives longer than its time, however slowly its peer sends.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <stop_token>
#include <thread>

#include "base/clock.hpp"

namespace repoupdate {

// Shuts sockets down; whoever owns them closes them. Thread-safe.
class ConnectionDeadlines {
public:
  explicit ConnectionDeadlines(Duration each);

  // From now on; `key` names the connection until it is removed.
  void add(const void* key, int socket);
  // Has to be called before the socket is closed.
  void remove(const void* key);

private:
  struct Connection {
    int socket;
    SteadyTime until;
  };
  void watch(std::stop_token stop);

  const Duration m_each;
  std::mutex m_mutex;
  std::condition_variable_any m_added;
  std::map<const void*, Connection> m_connections;  // guarded by m_mutex
  std::jthread m_watcher;                           // last: it uses the others
};

}  // namespace repoupdate
