// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as an answer of SQS, read as the answer to each request; and the names of queues.
#include <string_view>
#include <vector>

#include "claim.hpp"
#include "io/sqs_request.hpp"

namespace repoupdate {
namespace {

template <typename T>
bool was_read(const Result<T>& parsed) {
  if (parsed) return true;
  claim(parsed.error().kind == ErrorKind::corrupt, "an answer that cannot be read is corrupt");
  claim_message(parsed.error().message);
  return false;
}

void check_messages(std::string_view answer) {
  const auto messages = parse_sqs_messages(answer);
  if (!was_read(messages)) return;
  std::vector<Receipt> receipts;
  for (const SqsMessage& message : *messages) {
    claim(!message.id.empty() && !message.receipt_handle.empty(), "a message has an id and a receipt handle");
    receipts.push_back({"queue", message.id, message.receipt_handle});
  }
  claim(!sqs_delete_body("url", receipts).empty(), "any receipt handle can be sent back");
  claim(!sqs_visibility_body("url", receipts, std::chrono::seconds(1)).empty(), "any receipt handle can be sent back");
}

void check_verdicts(std::string_view answer, std::size_t count) {
  const auto verdicts = parse_sqs_verdicts(answer, count);
  if (!was_read(verdicts)) return;
  claim(verdicts->size() == count, "each entry has one verdict");
  for (const SqsVerdict& verdict : *verdicts)
    if (verdict.outcome != SqsVerdict::Outcome::done) claim_message(verdict.reason);
}

void check_queue(std::string_view text) {
  const auto queue = parse_sqs_queue(text);
  if (!queue) return claim_message(queue.error().message);
  claim(!queue->name.empty() && queue->name.size() <= 80, "a queue has a name");
  claim(!sqs_get_queue_url_body(*queue).empty(), "any queue can be asked for");
}

void check(std::string_view input) {
  check_messages(input);
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, k_sqs_batch}) check_verdicts(input, count);
  if (const auto url = parse_sqs_queue_url(input); was_read(url)) claim(!url->empty(), "a queue has a URL");
  const auto redrive = parse_sqs_redrive_policy(input);
  if (was_read(redrive) && *redrive)
    claim(!(*redrive)->dead_letter_queue.empty() && (*redrive)->max_receives > 0, "a policy names a queue and a count");
  constexpr std::size_t k_named = 500;  // what people write is short
  if (input.size() <= k_named) check_queue(input);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
