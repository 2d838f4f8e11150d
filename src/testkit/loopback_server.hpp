// SPDX-License-Identifier: Apache-2.0
// An HTTP server on 127.0.0.1 that answers as a test says, also with what no sane server would send.
#pragma once

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace repoupdate {

struct WireRequest {
  std::string method;
  std::string target;                          // as sent: path and query, encoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;

  std::string header(const std::string& name) const;
};

struct WireAnswer {
  std::string bytes;        // sent as they are; empty: none
  bool then_close = false;  // the connection, whatever the bytes promised
  bool then_stall = false;  // send nothing more until the client or the server goes away
};

// A well-formed answer with a Content-Length, which a header given here replaces (an answer to HEAD).
WireAnswer answer(int status, std::initializer_list<std::pair<std::string, std::string>> headers = {},
                  std::string_view body = {});
WireAnswer no_answer();  // closes the connection

// Serves each connection on a thread of its own, with keep-alive, from construction to destruction.
class LoopbackServer {
public:
  // Called for each request, from any thread, never two at once. `number` counts the requests from 1.
  using Responder = std::function<WireAnswer(const WireRequest& request, int number)>;

  explicit LoopbackServer(Responder responder);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;

  std::string host() const;  // "127.0.0.1:PORT"
  std::string url() const;   // "http://127.0.0.1:PORT"
  std::vector<WireRequest> requests() const;
  int connections() const;

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
