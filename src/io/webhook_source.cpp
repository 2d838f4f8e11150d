// SPDX-License-Identifier: Apache-2.0
#include "io/webhook_source.hpp"

#include <algorithm>
#include <utility>

#include "io/event_json.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_batch = 100;  // messages received at once
constexpr std::size_t k_told = 3;     // keys of a parked message

std::vector<QueueReceipt> queue_receipts(std::span<const Receipt> receipts) {
  std::vector<QueueReceipt> mine;
  for (const auto& receipt : receipts) mine.push_back({receipt.message_id, receipt.handle});
  return mine;
}

std::string about(std::string_view body) {
  const ParsedBody parsed = parse_event_body(body);
  std::string text;
  for (std::size_t i = 0; i < std::min(parsed.events.size(), k_told); ++i)
    text += (i == 0 ? "" : ", ") + parsed.events[i].bucket + '/' + parsed.events[i].key;
  if (parsed.events.size() > k_told) text += " and " + std::to_string(parsed.events.size() - k_told) + " more";
  if (!parsed.problem.empty())
    text += (text.empty() ? "" : "; ") + parsed.problem + ": " + printable_excerpt(body, k_event_excerpt);
  return text;
}

}  // namespace

WebhookSource::WebhookSource(std::unique_ptr<DurableQueue> queue, WebhookReports reports, Duration visibility)
    : m_queue(std::move(queue)), m_reports(std::move(reports)), m_visibility(visibility) {}

Result<std::unique_ptr<WebhookSource>> WebhookSource::open(WebhookSourceOptions options, WebhookReports reports,
                                                           Clock& clock) {
  auto queue = DurableQueue::open(options.queue_file, options.limits, clock);
  if (!queue) return std::move(queue).error().within("webhook");
  std::unique_ptr<WebhookSource> source(new WebhookSource(std::move(*queue), std::move(reports), options.visibility));
  DurableQueue& stored = *source->m_queue;
  const char* scheme = options.server.tls_certificate.empty() ? "http://" : "https://";
  auto server = WebhookServer::start(std::move(options.server),
                                     {.store = [&stored](std::string_view body) { return stored.put(body); },
                                      .check = [&stored] { return stored.check(); },
                                      .refused = source->m_reports.refused});
  if (!server) return std::move(server).error().within("webhook");
  source->m_server = std::move(*server);
  source->m_name = scheme + source->m_server->address() + "/events";
  return source;
}

Result<std::vector<Delivery>> WebhookSource::receive(Duration wait, std::stop_token stop) {
  const auto received = m_queue->receive(k_batch, m_visibility, wait, stop);
  if (!received) return received.error();
  for (const auto& message : received->parked) m_reports.parked(message.id, about(message.body));
  std::vector<Delivery> deliveries;
  for (const auto& message : received->messages) {
    ParsedBody parsed = parse_event_body(message.body);
    Delivery delivery{Receipt{m_name, message.id, message.handle}, std::move(parsed.events), std::move(parsed.problem)};
    if (!delivery.problem.empty()) delivery.excerpt = printable_excerpt(message.body, k_event_excerpt);
    delivery.receives = static_cast<int>(message.receives);
    delivery.has_dead_letter_queue = true;  // what is never acknowledged is parked in the file
    deliveries.push_back(std::move(delivery));
  }
  if (!deliveries.empty() || stop.stop_requested()) return deliveries;
  // Nothing came: because nothing was pushed, or because it cannot be taken in?
  if (auto takes = m_queue->check(); !takes) return std::move(takes.error()).within("events are refused");
  return deliveries;
}

Result<std::vector<Receipt>> WebhookSource::acknowledge(std::span<const Receipt> receipts) {
  const auto left = m_queue->acknowledge(queue_receipts(receipts));
  if (!left) return left.error();
  std::vector<Receipt> mine;
  for (const auto& receipt : *left) mine.push_back({m_name, receipt.id, receipt.handle});
  return mine;
}

Result<void> WebhookSource::extend(std::span<const Receipt> receipts, Duration duration) {
  m_queue->extend(queue_receipts(receipts), duration);
  return {};
}

}  // namespace repoupdate
