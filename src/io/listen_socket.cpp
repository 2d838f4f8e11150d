// SPDX-License-Identifier: Apache-2.0
#include "io/listen_socket.hpp"

#include <netdb.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace repoupdate {
namespace {

constexpr int k_backlog = 128;  // connections that wait to be accepted

struct HostAndPort {
  std::string host;  // without brackets
  std::string port;
};

Result<HostAndPort> split(std::string_view address) {
  const auto colon = address.rfind(':');
  std::string_view host = address.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string_view port = colon == std::string_view::npos ? "" : address.substr(colon + 1);
  unsigned number = 65536;
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), number);
  const bool is_port = failure == std::errc{} && end == port.data() + port.size() && number < 65536;
  const bool plain = host.find_first_of(":[]") == std::string_view::npos;
  if (host.empty() || !is_port || !(plain || bracketed)) {
    const std::string wanted =
        "' is no address to listen on: it has to be HOST:PORT, like 127.0.0.1:8042 or [::1]:8042";
    return Error{ErrorKind::invalid, "'" + std::string(address) + wanted, {}};
  }
  if (bracketed) host = host.substr(1, host.size() - 2);
  return HostAndPort{std::string(host), std::string(port)};
}

Error cannot_listen(std::string_view address, const std::string& why, ErrorKind kind) {
  return {kind, "cannot listen on " + std::string(address) + ": " + why, {}};
}

std::string bound_address(const FileHandle& socket) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  char port[NI_MAXSERV] = "";
  ::getsockname(socket.get(), address, &length);
  ::getnameinfo(address, length, nullptr, 0, port, sizeof port, NI_NUMERICSERV);
  const std::string host = host_of(*address, length);
  return (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + port;
}

}  // namespace

std::string host_of(const sockaddr& address, socklen_t length) {
  char host[NI_MAXHOST] = "";
  if (::getnameinfo(&address, length, host, sizeof host, nullptr, 0, NI_NUMERICHOST) != 0) return "?";
  return host;
}

ErrorKind kind_of_lookup(int code) {
  const bool may_pass = code == EAI_AGAIN || code == EAI_SYSTEM || code == EAI_MEMORY;
  return may_pass ? ErrorKind::io : ErrorKind::invalid;
}

Result<ListenSocket> listen_on(std::string_view address) {
  const auto parts = split(address);
  if (!parts) return parts.error();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int code = ::getaddrinfo(parts->host.c_str(), parts->port.c_str(), &hints, &found); code != 0)
    return cannot_listen(address, code == EAI_SYSTEM ? std::strerror(errno) : ::gai_strerror(code),
                         kind_of_lookup(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> first(found, ::freeaddrinfo);
  FileHandle socket(::socket(first->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // A port that is taken may be free later: no fault of the settings, and a service manager tries again.
  const int on = 1;
  if (socket.get() < 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::bind(socket.get(), first->ai_addr, first->ai_addrlen) != 0 || ::listen(socket.get(), k_backlog) != 0)
    return cannot_listen(address, std::strerror(errno), ErrorKind::io);
  std::string bound = bound_address(socket);
  return ListenSocket{std::move(socket), std::move(bound)};
}

}  // namespace repoupdate
