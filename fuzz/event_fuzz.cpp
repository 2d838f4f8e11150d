// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as the body of a message about objects: from a queue, and as a webhook gets it.
#include <string>
#include <string_view>

#include "claim.hpp"
#include "io/event_json.hpp"
#include "io/webhook_request.hpp"

namespace repoupdate {
namespace {

void check_events(const ParsedBody& parsed) {
  for (const Event& event : parsed.events) {
    claim(!event.bucket.empty() && !event.key.empty() && !event.raw_key.empty(), "an event names a bucket and a key");
    claim(event.key.size() <= k_max_event_key, "a key is no longer than a key can be");
    claim(event.key.find('\0') == std::string::npos, "a key has no NUL");
  }
  if (!parsed.problem.empty()) claim_message(parsed.problem);
}

// A key of the same bytes that is written as each source writes it, with what JSON has to escape escaped.
std::string json_of(std::string_view text) {
  constexpr std::string_view k_digits = "0123456789abcdef";
  std::string json = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    json.append("\\u00").append({k_digits[byte >> 4], k_digits[byte & 15]});
  }
  return json + '"';
}

void check_key(std::string_view key) {
  const std::string body =
      R"({"Records":[{"eventSource":"ceph:s3","s3":{"bucket":{"name":"b"},"object":{"key":)" + json_of(key) + "}}}]}";
  const ParsedBody parsed = parse_event_body(body);
  check_events(parsed);
  claim(parsed.is_message, "a notification is a message, whatever key it names");
  claim(parsed.events.size() + (parsed.problem.empty() ? 0 : 1) == 1, "each record is an event or told");
}

void check(std::string_view body) {
  const ParsedBody parsed = parse_event_body(body);
  check_events(parsed);
  claim(parsed.is_message || !parsed.events.empty() || !parsed.problem.empty(), "what is no message is told");

  const WebhookBody judged = judge_body(body);
  claim(judged.answer.status == 200 || judged.answer.status == 400, "a body is taken or refused");
  claim(judged.answer.status == 200 || !judged.store, "what is refused is not kept");
  claim(parsed.events.empty() || judged.store, "what names an object is kept");
  if (body.size() <= k_max_event_key) check_key(body);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
