// SPDX-License-Identifier: Apache-2.0
// Events that a store pushes over HTTP, for stores without SQS (Ceph RGW, MinIO). They are put into a queue on the
// disk before the store is told that they arrived, and are redelivered from there as SQS would.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "io/durable_queue.hpp"
#include "io/webhook_server.hpp"
#include "model/event_source.hpp"

namespace repoupdate {

struct WebhookSourceOptions {
  WebhookServerOptions server;
  std::string queue_file;
  QueueLimits limits;
  Duration visibility{std::chrono::seconds(120)};  // how long a message that was received stays hidden
};

// For the log of whoever owns the source; called from any thread.
struct WebhookReports {
  std::function<void(int status, const std::string& reason, const std::string& peer)> refused;  // see WebhookCalls
  // A message was delivered as often as the limits allow and never acknowledged. It stays in the file, and is not
  // delivered any more. `about`: its first keys; why it, or a part of it, could not be read, and then its beginning.
  std::function<void(const std::string& message_id, const std::string& about)> parked;
};

// Every stored body becomes one delivery; one that cannot be read says why in Delivery::problem. Thread-safe.
class WebhookSource final : public EventSource {
public:
  // Opens the queue, then listens. The errors of both. `clock` must outlive the source.
  static Result<std::unique_ptr<WebhookSource>> open(WebhookSourceOptions options, WebhookReports reports,
                                                     Clock& clock);

  std::string name() const override { return m_name; }  // "http://127.0.0.1:8042/events"
  // Where nothing is delivered, an Error says why nothing more can be taken in: the queue or its disk is full.
  Result<std::vector<Delivery>> receive(Duration wait, std::stop_token stop) override;
  Result<std::vector<Receipt>> acknowledge(std::span<const Receipt> receipts) override;
  Result<void> extend(std::span<const Receipt> receipts, Duration duration) override;
  Duration visibility() const override { return m_visibility; }

  std::uint64_t waiting() const { return m_queue->size(); }  // messages stored, delivered or not

private:
  WebhookSource(std::unique_ptr<DurableQueue> queue, WebhookReports reports, Duration visibility);

  const std::unique_ptr<DurableQueue> m_queue;
  const WebhookReports m_reports;
  const Duration m_visibility;
  std::unique_ptr<WebhookServer> m_server;  // after the queue, which it puts into
  std::string m_name;
};

}  // namespace repoupdate
