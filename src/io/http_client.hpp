// SPDX-License-Identifier: Apache-2.0
// One pool of keep-alive connections over libcurl.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/http.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

struct HttpClientOptions {
  Duration connect_timeout{std::chrono::seconds(10)};
  // A transfer that moves less than 1 byte a second for this long is given up; there is no limit on the
  // length of a transfer that moves.
  Duration stall_timeout{std::chrono::seconds(60)};
  std::string ca_bundle;   // PEM file; empty: the system's. TLS is always verified.
  std::string user_agent = "repoupdate";
};

// What to send and where the answer goes. Views must live until send() returns.
struct HttpExchange {
  std::string_view body;                          // sent as it is
  // Instead of body: called for the bytes [offset, offset + size) until it has given `upload_size` of them.
  std::function<Result<std::string_view>(std::uint64_t offset)> upload;
  std::uint64_t upload_size = 0;
  ByteSink sink;                                  // takes a 2xx body piece by piece instead of HttpResponse::body
  std::optional<Duration> timeout;                // for the whole exchange, where one is wanted
  std::stop_token stop;                           // ends the transfer with ErrorKind::cancelled
};

// Thread-safe. An HTTP status is not a failure here: only connection failures (unavailable), deadlines
// (timed_out), TLS that does not verify (denied) and a sink's own error are. Nothing is retried.
class HttpClient {
public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, const HttpExchange& exchange);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
