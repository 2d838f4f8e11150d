// SPDX-License-Identifier: Apache-2.0
// What a webhook answers, decided from values: no socket, no file.
//   POST /events          takes a notification; HEAD and OPTIONS say that it is there, as stores ask when they start
//   GET, HEAD /healthz    whether events can be taken
// Where a store keeps a queue (Ceph's persistent topics, MinIO's queue_dir), it tries an event again on any answer but
// 2xx, MinIO for ever and before all others. So 4xx is only for what no store sends as an event (decision 12).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/event_json.hpp"

namespace repoupdate {

inline constexpr std::uint64_t k_max_webhook_body = k_max_event_body;  // bytes

// Who may send events. Without a secret everybody may.
struct WebhookAccess {
  std::string secret;  // as "Authorization: Bearer SECRET" (MinIO's auth_token), or as /events?token=SECRET
  std::string user;    // unless empty, also as HTTP Basic authentication of this user, with the secret as password
};

// A request without its body.
struct WebhookRequest {
  std::string method;
  std::string path;
  std::string authorization;         // the header, or empty
  std::string token;                 // of the query, decoded
  std::string content_encoding;      // the header, or empty
  std::uint64_t content_length = 0;  // zero when it is not told
};

struct WebhookAnswer {
  int status = 200;
  std::string text;   // a line for people
  std::string allow;  // the header Allow, unless empty
};

// What a request wants, once it is known that it may.
struct WebhookVerdict {
  enum class Next {
    take_body,     // and answer what judge_body says
    check_health,  // and answer that
    answer
  };
  Next next = Next::answer;
  WebhookAnswer answer;
};
WebhookVerdict judge_request(const WebhookRequest& request, const WebhookAccess& access);

// A body that came whole.
struct WebhookBody {
  WebhookAnswer answer;  // once it is stored, where it is to be stored
  bool store = false;    // not for test events, nor for an empty body, with which a store tries whether we are there
  std::string problem;   // for the log: why it was refused, or what cannot be read in it
};
WebhookBody judge_body(std::string_view body);

}  // namespace repoupdate
