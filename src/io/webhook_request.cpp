// SPDX-License-Identifier: Apache-2.0
#include "io/webhook_request.hpp"

#include <algorithm>
#include <optional>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_events_methods = "POST, HEAD, OPTIONS", k_health_methods = "GET, HEAD";

WebhookVerdict answer(int status, std::string text, std::string_view allow = {}) {
  return {WebhookVerdict::Next::answer, {status, std::move(text), std::string(allow)}};
}

// What follows "SCHEME " in an Authorization header; the scheme's case does not matter (RFC 9110, 11.1).
std::optional<std::string_view> credentials_of(std::string_view header, std::string_view scheme) {
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (header.size() <= scheme.size() || header[scheme.size()] != ' ' ||
      !std::equal(scheme.begin(), scheme.end(), header.begin(), same))
    return std::nullopt;
  header.remove_prefix(scheme.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

bool may_send(const WebhookRequest& request, const WebhookAccess& access) {
  if (access.secret.empty()) return true;
  if (const auto bearer = credentials_of(request.authorization, "Bearer")) return same_secret(*bearer, access.secret);
  if (const auto basic = credentials_of(request.authorization, "Basic"); basic && !access.user.empty()) {
    const auto pair = from_base64(*basic);
    return pair && same_secret(*pair, access.user + ':' + access.secret);
  }
  return !request.token.empty() && same_secret(request.token, access.secret);
}

}  // namespace

WebhookVerdict judge_request(const WebhookRequest& request, const WebhookAccess& access) {
  if (request.path == "/healthz") {
    if (request.method == "GET" || request.method == "HEAD") return {WebhookVerdict::Next::check_health, {}};
    return answer(405, "only GET and HEAD", k_health_methods);
  }
  if (request.path != "/events") return answer(404, "events are taken at /events");
  if (request.method == "HEAD" || request.method == "OPTIONS") return answer(200, "", k_events_methods);
  if (request.method != "POST") return answer(405, "events are taken by POST", k_events_methods);
  if (!may_send(request, access)) return answer(401, "the secret is missing or wrong");
  if (!request.content_encoding.empty() && request.content_encoding != "identity")
    return answer(415, "only bodies without a Content-Encoding");
  if (request.content_length > k_max_webhook_body) return answer(413, "at most 1 MiB");
  return {WebhookVerdict::Next::take_body, {}};
}

WebhookBody judge_body(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
  ParsedBody parsed = parse_event_body(body);
  WebhookBody judged;
  judged.problem = std::move(parsed.problem);
  // Also when none of its events can be read: it goes the way of all messages that cannot be read, and what the store
  // has behind it goes on.
  judged.store = !parsed.events.empty() || (parsed.is_message && !judged.problem.empty());
  if (!judged.store && !judged.problem.empty()) judged.answer = {400, "the body is no notification of an event", {}};
  return judged;
}

}  // namespace repoupdate
