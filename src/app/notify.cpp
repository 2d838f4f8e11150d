// SPDX-License-Identifier: Apache-2.0
#include "app/notify.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace repoupdate {
namespace {

constexpr std::size_t k_longest_status = 300;  // bytes

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<std::uint64_t> number_of(const std::string& text) {
  std::uint64_t number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

NotifyEnvironment notify_environment() {
  return {variable("NOTIFY_SOCKET"), variable("WATCHDOG_USEC"), variable("WATCHDOG_PID")};
}

ServiceNotifier::ServiceNotifier(const NotifyEnvironment& environment) : m_address(environment.socket) {
  const bool is_usable = m_address.size() > 1 && (m_address[0] == '/' || m_address[0] == '@') &&
                         m_address.size() < sizeof(sockaddr_un{}.sun_path);
  if (!is_usable) return;
  if (m_address[0] == '@') m_address[0] = '\0';  // the abstract name space of unix(7)
  m_socket = FileHandle(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const bool is_ours =
      environment.watchdog_pid.empty() || number_of(environment.watchdog_pid) == std::uint64_t(::getpid());
  const auto limit = number_of(environment.watchdog_usec);
  if (is_ours && limit && *limit > 0)
    m_watchdog = std::max(
        Duration(static_cast<std::int64_t>(std::min<std::uint64_t>(*limit, UINT64_C(1) << 50) / 2000)), Duration(1));
}

void ServiceNotifier::send(std::string_view lines) const {
  if (!is_on()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, m_address.data(), m_address.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + m_address.size());
  static_cast<void>(::sendto(m_socket.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&address), length));
}

void ServiceNotifier::ready(std::string_view status) const {
  send("READY=1\nSTATUS=" + status_line(status));
}

void ServiceNotifier::reloading() const {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.tv_sec * 1'000'000LL + now.tv_nsec / 1000) +
       "\nSTATUS=reading the settings again");
}

void ServiceNotifier::stopping() const {
  send("STOPPING=1\nSTATUS=stopping");
}

std::string status_line(std::string_view text) {
  std::string line(text.substr(0, k_longest_status));
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, ' ');
  return line;
}

}  // namespace repoupdate
