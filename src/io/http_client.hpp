// SPDX-License-Identifier: Apache-2.0
// One pool of keep-alive connections over libcurl, for a bounded number of transfers at a time.
#pragma once

#include <cstddef>
#include <cstdint>
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

// Transfers at the same time: for the 64 requests of a busy repository, and for as many that wait, as long polls do.
inline constexpr std::size_t k_max_in_flight = 128;
inline constexpr long k_least_speed = 64;  // bytes a second; an answer that trickles is none

struct HttpClientOptions {
  Duration connect_timeout{std::chrono::seconds(10)};  // name, connection, proxy and TLS together
  // A transfer that moves fewer than k_least_speed bytes a second for this long is given up; there is no limit on the
  // length of a transfer that moves.
  Duration stall_timeout{std::chrono::seconds(60)};
  std::string ca_bundle;  // PEM file, instead of the system's authorities; empty: those. TLS is always verified.
  std::string user_agent = "repoupdate";
  std::size_t max_in_flight = k_max_in_flight;
};

inline constexpr std::uint64_t k_max_response_body = 64ULL << 20;  // of an answer that goes to memory
inline constexpr std::uint64_t k_max_error_body = 64ULL << 10;     // of a non-2xx answer; the rest is dropped

// What to send and where the answer goes. Views must live until send() returns.
struct HttpExchange {
  std::string_view body;  // sent as it is
  // Instead of body: gives bytes of the upload from `offset` on, at least one, as long as its view lives until
  // the next call. Called until it has given `upload_size` bytes; an offset may come again.
  std::function<Result<std::string_view>(std::uint64_t offset)> upload;
  std::uint64_t upload_size = 0;
  // Called once with the status and headers of a 2xx answer, before its first byte of body.
  std::function<Result<void>(const HttpResponse& head)> on_head;
  ByteSink sink;                                   // takes a 2xx body piece by piece instead of HttpResponse::body
  std::uint64_t body_limit = k_max_response_body;  // of a 2xx body without a sink; more is ErrorKind::invalid
  std::optional<Duration> timeout;                 // for the whole exchange, where one is wanted
  bool direct = false;                             // never through a proxy: link-local metadata services
  // Sent one time, also where a kept connection turns out dead: that is unavailable then.
  bool once = false;
  std::stop_token stop;  // ends the transfer with ErrorKind::cancelled
};

// Thread-safe. An HTTP status is not a failure here: only connection failures and answers that break off
// (unavailable), deadlines (timed_out), TLS that does not verify (denied) and the callbacks' own errors are.
// Nothing is retried and no redirect is followed.
//
// More than max_in_flight transfers wait for each other; one that a callback of another begins, on its thread, does
// not. Proxies are taken from the environment as libcurl does: https_proxy, HTTPS_PROXY, http_proxy (in lower case
// only), all_proxy, ALL_PROXY, no_proxy, NO_PROXY.
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
