// SPDX-License-Identifier: Apache-2.0
#include "testkit/loopback_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

namespace repoupdate {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

WireRequest parse_head(const std::string& head) {
  WireRequest request;
  const std::size_t first = head.find(' ');
  const std::size_t second = head.find(' ', first + 1);
  request.method = head.substr(0, first);
  request.target = head.substr(first + 1, second - first - 1);
  for (std::size_t line = head.find("\r\n") + 2; line < head.size();) {
    const std::size_t end = std::min(head.find("\r\n", line), head.size());
    const std::size_t colon = head.find(':', line);
    if (colon < end) {
      const std::size_t value = std::min(head.find_first_not_of(' ', colon + 1), end);
      request.headers[lower(head.substr(line, colon - line))] = head.substr(value, end - value);
    }
    line = end + 2;
  }
  return request;
}

// The next request of a connection; `pending` holds what was read beyond it. Nothing at the connection's end.
std::optional<WireRequest> read_request(int connection, std::string& pending) {
  std::array<char, 65536> buffer{};
  const auto read_more = [&] {
    const ssize_t count = ::recv(connection, buffer.data(), buffer.size(), 0);
    if (count > 0) pending.append(buffer.data(), static_cast<std::size_t>(count));
    return count > 0;
  };
  std::size_t head_end = 0;
  while ((head_end = pending.find("\r\n\r\n")) == std::string::npos)
    if (!read_more()) return std::nullopt;
  WireRequest request = parse_head(pending.substr(0, head_end));
  pending.erase(0, head_end + 4);
  const auto length = static_cast<std::size_t>(std::strtoull(request.header("content-length").c_str(), nullptr, 10));
  while (pending.size() < length)
    if (!read_more()) return std::nullopt;
  request.body = pending.substr(0, length);
  pending.erase(0, length);
  return request;
}

void send_all(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

}  // namespace

std::string WireRequest::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

WireAnswer answer(int status, std::initializer_list<std::pair<std::string, std::string>> headers,
                  std::string_view body) {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
  bool has_length = status == 204 || status == 304;
  for (const auto& [name, value] : headers) {
    bytes.append(name).append(": ").append(value).append("\r\n");
    has_length = has_length || lower(name) == "content-length";
  }
  if (!has_length) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return {bytes.append("\r\n").append(body)};
}

WireAnswer no_answer() {
  return {{}, true};
}

struct LoopbackServer::State {
  Responder responder;
  int listener = -1;
  int port = 0;
  mutable std::mutex mutex;
  std::mutex responder_mutex;
  bool is_stopping = false;
  std::vector<int> connections;  // closed at the end, so that no number is used twice
  std::vector<WireRequest> requests;
  std::vector<std::thread> threads;
  std::thread acceptor;

  void accept_all();
  void serve(int connection);
};

void LoopbackServer::State::accept_all() {
  for (;;) {
    const int connection = ::accept(listener, nullptr, nullptr);
    if (connection < 0) return;
    const std::scoped_lock lock(mutex);
    connections.push_back(connection);
    if (is_stopping) return;
    threads.emplace_back([this, connection] { serve(connection); });
  }
}

void LoopbackServer::State::serve(int connection) {
  std::string pending;
  while (auto request = read_request(connection, pending)) {
    WireAnswer reply;
    {
      const std::scoped_lock one_at_a_time(responder_mutex);
      int number = 0;
      {
        const std::scoped_lock lock(mutex);
        requests.push_back(*request);
        number = static_cast<int>(requests.size());
      }
      reply = responder(*request, number);
    }
    send_all(connection, reply.bytes);
    if (reply.then_stall) {
      char ignored = 0;
      while (::recv(connection, &ignored, 1, 0) > 0) {
      }
      break;
    }
    if (reply.then_close) break;
  }
  ::shutdown(connection, SHUT_RDWR);
}

LoopbackServer::LoopbackServer(Responder responder) : m_state(std::make_unique<State>()) {
  m_state->responder = std::move(responder);
  m_state->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (m_state->listener < 0 || ::bind(m_state->listener, generic, length) != 0 ||
      ::listen(m_state->listener, SOMAXCONN) != 0 || ::getsockname(m_state->listener, generic, &length) != 0)
    throw std::runtime_error("no socket on 127.0.0.1");
  m_state->port = ntohs(address.sin_port);
  m_state->acceptor = std::thread([state = m_state.get()] { state->accept_all(); });
}

LoopbackServer::~LoopbackServer() {
  {
    const std::scoped_lock lock(m_state->mutex);
    m_state->is_stopping = true;
    for (const int connection : m_state->connections) ::shutdown(connection, SHUT_RDWR);
  }
  ::shutdown(m_state->listener, SHUT_RDWR);
  m_state->acceptor.join();
  for (std::thread& thread : m_state->threads) thread.join();
  for (const int connection : m_state->connections) ::close(connection);
  ::close(m_state->listener);
}

std::string LoopbackServer::host() const {
  return "127.0.0.1:" + std::to_string(m_state->port);
}

std::string LoopbackServer::url() const {
  return "http://" + host();
}

std::vector<WireRequest> LoopbackServer::requests() const {
  const std::scoped_lock lock(m_state->mutex);
  return m_state->requests;
}

int LoopbackServer::connections() const {
  const std::scoped_lock lock(m_state->mutex);
  return static_cast<int>(m_state->connections.size());
}

}  // namespace repoupdate
