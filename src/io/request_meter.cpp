// SPDX-License-Identifier: Apache-2.0
#include "io/request_meter.hpp"

#include <algorithm>

namespace repoupdate {
namespace {

constexpr MetricName k_requests{
    "repoupdate_requests_total",
    "Requests that were sent to a bucket or queue, each attempt counted, by how they ended."};
constexpr MetricName k_retries{"repoupdate_retries_total", "Requests that were sent once more, by the cause."};
constexpr MetricName k_sent{"repoupdate_sent_bytes_total", "Bytes of the bodies of requests."};
constexpr MetricName k_received{"repoupdate_received_bytes_total", "Bytes of the bodies of answers."};

constexpr std::array<std::string_view, 14> k_operation_names{
    "other",
    "GetObject",
    "HeadObject",
    "PutObject",
    "DeleteObject",
    "ListBucket",
    "HeadBucket",
    "AbortMultipartUpload",
    "ListBucketMultipartUploads",
    "ReceiveMessage",
    "DeleteMessage",
    "ChangeMessageVisibility",
    "GetQueueAttributes",
    "GetQueueUrl",
};

constexpr std::array<std::string_view, k_retry_causes> k_cause_names{
    "throttled", "timeout", "reset", "server_error", "checksum", "credentials", "clock"};

std::size_t number_of(std::string_view operation) {
  const auto found = std::ranges::find(k_operation_names, operation);
  return found == k_operation_names.end() ? 0 : static_cast<std::size_t>(found - k_operation_names.begin());
}

}  // namespace

std::string outcome_label(std::optional<ErrorKind> failure) {
  if (!failure) return "ok";
  if (*failure == ErrorKind::no_store) return "no_store";
  std::string text(to_string(*failure));
  std::ranges::replace_if(
      text, [](char c) { return c == ' ' || c == '/'; }, '_');
  return text;
}

RequestMeter::RequestMeter(MetricTable& table, std::string store)
    : m_table(table),
      m_store(std::move(store)),
      m_sent(table.counter(k_sent, {{"store", m_store}})),
      m_received(table.counter(k_received, {{"store", m_store}})) {
  for (std::size_t i = 0; i < k_retry_causes; ++i)
    m_retries[i] = &table.counter(k_retries, {{"store", m_store}, {"cause", std::string(k_cause_names[i])}});
}

void RequestMeter::ended(std::string_view operation, std::optional<ErrorKind> failure) {
  const std::size_t number = number_of(operation);
  auto& slot = m_ended[number][failure ? static_cast<std::size_t>(*failure) + 1 : 0];
  Counter* counter = slot.load(std::memory_order_acquire);
  if (counter == nullptr) {  // two threads at once are given the same one
    counter = &m_table.counter(k_requests, {{"store", m_store},
                                            {"operation", std::string(k_operation_names[number])},
                                            {"outcome", outcome_label(failure)}});
    slot.store(counter, std::memory_order_release);
  }
  counter->add();
}

}  // namespace repoupdate
