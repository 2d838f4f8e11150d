// SPDX-License-Identifier: Apache-2.0
// A small HTTP server that only tells: GET and HEAD of some paths, for monitoring.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace repoupdate {

inline constexpr unsigned k_max_status_connections = 16;                // more are closed at once
inline constexpr std::size_t k_max_status_header = 16 << 10;            // bytes: the request line and all headers
inline constexpr Duration k_status_deadline{std::chrono::seconds(30)};  // from connecting to the end of the connection

struct StatusAnswer {
  int status = 404;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = "not found\n";
};

// Called with the path alone ("/metrics"), on the server's thread, one call at a time. Must not wait.
using StatusPages = std::function<StatusAnswer(std::string_view path)>;

class StatusServer {
public:
  // Listens when it returns: HOST:PORT as listen_on() takes it. ErrorKind::invalid when that is not possible.
  static Result<std::unique_ptr<StatusServer>> start(const std::string& listen, StatusPages pages);
  ~StatusServer();
  StatusServer(const StatusServer&) = delete;
  StatusServer& operator=(const StatusServer&) = delete;

  std::string address() const;  // "127.0.0.1:9187", with the port in use

private:
  struct State;
  explicit StatusServer(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
