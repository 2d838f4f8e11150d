// SPDX-License-Identifier: Apache-2.0
// Tells systemd how the daemon fares: the protocol of sd_notify(3), which is a datagram of lines to a unix socket.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {

// What the service manager has put into the environment.
struct NotifyEnvironment {
  std::string socket;         // NOTIFY_SOCKET: a path, or '@' and a name; empty: nobody listens
  std::string watchdog_usec;  // WATCHDOG_USEC
  std::string watchdog_pid;   // WATCHDOG_PID: whose watchdog it is; empty: ours
};
NotifyEnvironment notify_environment();

// Thread-safe. Nothing that goes wrong here is of interest to anybody but the service manager: it is not reported.
class ServiceNotifier {
public:
  explicit ServiceNotifier(const NotifyEnvironment& environment);

  bool is_on() const { return m_socket.get() >= 0; }
  // Half of the time after which the service manager loses patience; nothing: it has no watchdog for us.
  std::optional<Duration> watchdog_interval() const { return m_watchdog; }

  // Sends one datagram: "READY=1", or several lines.
  void send(std::string_view lines) const;

  void ready(std::string_view status) const;
  void reloading() const;  // with the time, as Type=notify-reload wants it
  void stopping() const;

private:
  FileHandle m_socket{-1};
  std::string m_address;  // as it stands in sockaddr_un
  std::optional<Duration> m_watchdog;
};

// A text for STATUS=: one line of printable text, not too long.
std::string status_line(std::string_view text);

}  // namespace repoupdate
