// SPDX-License-Identifier: Apache-2.0
// An SQS queue as a source of events.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "io/aws_endpoint.hpp"
#include "io/aws_sender.hpp"
#include "io/sqs_request.hpp"
#include "model/event_source.hpp"

namespace repoupdate {

inline constexpr std::size_t k_sqs_parallel = 8;  // batches that are sent at the same time

struct SqsSourceOptions {
  std::string queue;         // its name, ARN or URL
  std::string region;        // unless the ARN or URL tells
  std::string endpoint_url;  // where requests go instead of AWS; empty: to the host of the queue's URL, or AWS
  // How long a message that was received stays hidden; whoever needs longer extends it. 0 to 12 hours.
  std::chrono::seconds visibility{120};
  AwsEndpointVariant variant;     // of AWS
  RequestMeter* meter = nullptr;  // counts every call; outlives the source; null: nobody does
  std::stop_token stop{};         // ends calls under way that have no token of their own
};

// Every message becomes one delivery; one that cannot be read says why in Delivery::problem. Whether the queue has a
// redrive policy is asked once, before the first receive; without the permission to ask it counts as having none.
// Thread-safe.
class SqsSource final : public EventSource {
public:
  // Sends nothing yet. ErrorKind::invalid or unsupported for a queue that cannot be one, an unknown region, a
  // visibility out of range. `sender` and `log` (may be null: no log) must outlive the source.
  static Result<std::unique_ptr<SqsSource>> open(const SqsSourceOptions& options, AwsSender& sender,
                                                 const Log* log = nullptr);

  std::string name() const override;  // "sqs://region/queue", "sqs://region/account/queue" where an account is named
  // One long poll of at most 20 seconds for at most 10 messages. Nothing, and no failure, when it is stopped.
  // ErrorKind::invalid when the queue does not exist. Of a queue with 120,000 hidden messages, all that SQS allows, a long
  // poll gets nothing and is not told why; only one that does not wait is refused (OverLimit, here throttled).
  Result<std::vector<Delivery>> receive(Duration wait, std::stop_token stop) override;
  // Both of these send batches of ten, several at the same time. cancelled: by SqsSourceOptions::stop.
  Result<std::vector<Receipt>> acknowledge(std::span<const Receipt> receipts) override;
  // At most 12 hours. A message that is gone, or hidden no longer, is no failure.
  Result<void> extend(std::span<const Receipt> receipts, Duration duration) override;
  Duration visibility() const override { return m_visibility; }

private:
  SqsSource(SqsQueueAddress queue, AwsEndpoint endpoint, const SqsSourceOptions& options, AwsSender& sender,
            const Log* log);

  struct Undeleted {
    std::vector<Receipt> receipts;
    std::string reason;  // of one of them, in the service's words
  };

  Result<std::string> queue_url(std::stop_token stop);
  Result<bool> has_dead_letter_queue(const std::string& url, std::stop_token stop);
  Result<std::string> call(const std::string& action, std::string_view body, Duration timeout, std::stop_token stop);
  Result<std::vector<SqsVerdict>> call_batch(const std::string& action, std::string_view body, std::size_t count);
  Result<Undeleted> delete_batch(const std::string& url, std::span<const Receipt> receipts);

  const SqsQueueAddress m_queue;
  const AwsEndpoint m_endpoint;
  const std::chrono::seconds m_visibility;
  AwsSender& m_sender;
  const Log* m_log;
  RequestMeter* m_meter;
  const std::stop_token m_stop;
  std::mutex m_mutex;                           // guards what follows
  std::string m_url;                            // empty until it was asked for
  std::optional<bool> m_has_dead_letter_queue;  // nothing until it was asked for
};

}  // namespace repoupdate
