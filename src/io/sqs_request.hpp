// SPDX-License-Identifier: Apache-2.0
// Amazon SQS on paper: which queue is meant, the bodies of requests, what answers say. No socket.
// Source: Amazon SQS API Reference, AWS JSON 1.0 protocol (`x-amz-target: AmazonSQS.ACTION`).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/event.hpp"

namespace repoupdate {

inline constexpr std::size_t k_sqs_batch = 10;             // messages in one request
inline constexpr std::chrono::seconds k_max_sqs_wait{20};  // of a long poll
inline constexpr std::chrono::seconds k_max_sqs_visibility{43'200};

// A queue as a person names it. What the text did not say is empty.
struct SqsQueueAddress {
  std::string name;
  std::string account;
  std::string region;
  std::string url;
};

// "name", "arn:aws:sqs:region:account:name" or the queue's URL. ErrorKind::invalid for anything else,
// ErrorKind::unsupported for a FIFO queue, which S3 cannot notify.
Result<SqsQueueAddress> parse_sqs_queue(std::string_view text);

// "sqs://region/queue", "sqs://region/account/queue" where an account is named: for messages.
std::string to_string(const SqsQueueAddress& queue);

std::string sqs_get_queue_url_body(const SqsQueueAddress& queue);
std::string sqs_redrive_policy_body(const std::string& queue_url);
// Asks for each message's count of deliveries and its age as well.
std::string sqs_receive_body(const std::string& queue_url, std::chrono::seconds wait, std::chrono::seconds visibility);
// At most k_sqs_batch receipts; a receipt's place among them is its id in the answer.
std::string sqs_delete_body(const std::string& queue_url, std::span<const Receipt> receipts);
std::string sqs_visibility_body(const std::string& queue_url, std::span<const Receipt> receipts,
                                std::chrono::seconds visibility);

struct SqsMessage {
  std::string id;
  std::string receipt_handle;
  std::string body;
  int receives = 0;                 // ApproximateReceiveCount; 0 when the answer has none
  std::optional<ExactTime> sent{};  // SentTimestamp
};

// Where a queue moves what was received so often without being deleted.
struct SqsRedrivePolicy {
  std::string dead_letter_queue;  // its ARN
  int max_receives = 0;
};

// What became of one entry of a batch.
struct SqsVerdict {
  enum class Outcome { done, failed, refused };  // failed: by the service, worth another try; refused: our fault
  Outcome outcome = Outcome::failed;
  std::string reason;  // "ReceiptHandleIsInvalid: the words of the service", empty when done
};

// Each ErrorKind::corrupt when the answer is not what the service documents.
Result<std::string> parse_sqs_queue_url(std::string_view answer);
// Nothing for a queue that has no policy.
Result<std::optional<SqsRedrivePolicy>> parse_sqs_redrive_policy(std::string_view answer);
Result<std::vector<SqsMessage>> parse_sqs_messages(std::string_view answer);
// One verdict for each of `count` entries, in their order; one that the answer does not mention has failed.
Result<std::vector<SqsVerdict>> parse_sqs_verdicts(std::string_view answer, std::size_t count);

}  // namespace repoupdate
