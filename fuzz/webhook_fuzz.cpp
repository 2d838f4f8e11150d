// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a request to the webhook, without its body. The input is lines: method, path, Authorization, token,
// Content-Encoding, Content-Length.
#include <charconv>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "claim.hpp"
#include "io/webhook_request.hpp"

namespace repoupdate {
namespace {

using Next = WebhookVerdict::Next;

const WebhookAccess k_open{}, k_guarded{"a secret", ""}, k_named{"a secret", "minio"};

std::string_view take_line(std::string_view& rest) {
  const std::string_view line = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
  return line;
}

WebhookRequest request_of(std::string_view input) {
  WebhookRequest request;
  for (std::string* member :
       {&request.method, &request.path, &request.authorization, &request.token, &request.content_encoding})
    *member = take_line(input);
  std::from_chars(input.data(), input.data() + input.size(), request.content_length);
  return request;
}

void check_answer(const WebhookRequest& request, const WebhookVerdict& verdict) {
  claim(verdict.answer.status >= 200 && verdict.answer.status < 500, "a request is answered");
  if (!verdict.answer.text.empty()) claim_message(verdict.answer.text);
  if (verdict.next == Next::take_body)
    claim(request.method == "POST" && request.path == "/events" && request.content_length <= k_max_webhook_body,
          "only events are taken, and none that is too large");
}

// Without one of the three ways to say it nobody sends events, however the request looks otherwise.
bool says_secret(const WebhookRequest& request, const WebhookAccess& access) {
  return request.token == access.secret || request.authorization.ends_with(access.secret) ||
         (!access.user.empty() && (request.authorization[0] | 0x20) == 'b');
}

void check(std::string_view input) {
  const WebhookRequest request = request_of(input);
  const WebhookVerdict open = judge_request(request, k_open);
  check_answer(request, open);
  claim(open.answer.status != 401, "who needs no secret is not asked for one");
  for (const WebhookAccess* access : {&k_guarded, &k_named}) {
    const WebhookVerdict guarded = judge_request(request, *access);
    check_answer(request, guarded);
    claim(guarded.next != Next::take_body || says_secret(request, *access), "nothing is taken without the secret");
    claim(guarded.next == open.next || guarded.answer.status == 401, "with the secret all is as without one");
    claim(guarded.answer.text.find(access->secret) == std::string::npos, "no answer holds the secret");
  }

  WebhookRequest known = request;
  known.authorization = "BEARER  " + k_guarded.secret;
  claim(judge_request(known, k_guarded).next == open.next, "who says the secret may send");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
