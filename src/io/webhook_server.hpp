// SPDX-License-Identifier: Apache-2.0
// The HTTP side of the webhook: listens, and hands bodies over. One request a connection, so that none is lost to a
// kept connection that is just being closed.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/webhook_request.hpp"

namespace repoupdate {

inline constexpr unsigned k_webhook_threads = 4;
inline constexpr unsigned k_max_webhook_connections = 64;      // more wait until one is closed
inline constexpr std::size_t k_max_webhook_header = 32 << 10;  // bytes: the request line and all headers

struct WebhookServerOptions {
  std::string listen;  // "127.0.0.1:8042", "[::1]:8042", "host:8042"; port 0: any free one
  WebhookAccess access;
  std::string tls_certificate;  // PEM text of the certificate chain, and of its key; empty: plain HTTP
  std::string tls_key;
  Duration deadline{std::chrono::seconds(30)};  // from connecting to the last byte of the answer
};

// What the server asks of whoever owns it. Called from any of its threads, several at once.
struct WebhookCalls {
  std::function<Result<void>(std::string_view body)> store;  // returns once it is on the disk
  std::function<Result<void>()> check;                       // whether it could be
  // A request was answered with this status, 400 or more, for this reason; from this address, without a port. Not what
  // only asked for check().
  std::function<void(int status, const std::string& reason, const std::string& peer)> refused;
};

class WebhookServer {
public:
  // Listens when it returns. ErrorKind::invalid when the address cannot be listened on, or the certificate and key
  // are none.
  static Result<std::unique_ptr<WebhookServer>> start(WebhookServerOptions options, WebhookCalls calls);

  // Answers what has been received whole, closes the rest.
  ~WebhookServer();
  WebhookServer(const WebhookServer&) = delete;
  WebhookServer& operator=(const WebhookServer&) = delete;

  std::string address() const;  // "127.0.0.1:8042", with the port in use

private:
  struct State;
  explicit WebhookServer(std::unique_ptr<State> state);
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
