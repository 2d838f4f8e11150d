// SPDX-License-Identifier: Apache-2.0
// Counts what is sent to one bucket or queue, and how it ended.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/metrics.hpp"
#include "base/result.hpp"

namespace repoupdate {

// Why a request was sent once more.
enum class RetryCause {
  throttled,     // the service wants fewer
  timeout,       // no answer in time
  reset,         // no connection, or one that broke off
  server_error,  // the service failed: 500, 502, 504
  checksum,      // bytes arrived damaged, there or here
  credentials,   // they were found expired, and fetched again
  clock,         // ours was found wrong, and corrected
};
inline constexpr std::size_t k_retry_causes = 7;

// Thread-safe. A request costs one atomic operation for each number; the table's lock is taken the first time that an
// operation ends so.
class RequestMeter {
public:
  // `store` as in messages: "s3://bucket", "sqs://region/queue". The table must outlive the meter.
  RequestMeter(MetricTable& table, std::string store);
  RequestMeter(const RequestMeter&) = delete;
  RequestMeter& operator=(const RequestMeter&) = delete;

  // A request was sent and ended; nothing for `failure`: well. `operation` is "GetObject" and the like; what is not known
  // here is counted as "other".
  void ended(std::string_view operation, std::optional<ErrorKind> failure);
  void retried(RetryCause cause) { m_retries[static_cast<std::size_t>(cause)]->add(); }
  // Bytes of bodies, without headers.
  void sent(std::uint64_t bytes) { m_sent.add(bytes); }
  void received(std::uint64_t bytes) { m_received.add(bytes); }

private:
  static constexpr std::size_t k_operations = 14;
  static constexpr std::size_t k_outcomes = 15;  // well, and each ErrorKind

  MetricTable& m_table;
  const std::string m_store;
  Counter& m_sent;
  Counter& m_received;
  std::array<Counter*, k_retry_causes> m_retries{};
  std::array<std::array<std::atomic<Counter*>, k_outcomes>, k_operations> m_ended{};  // null: not yet
};

// How the failure of a request is called in metrics: "ok", "not_found".
std::string outcome_label(std::optional<ErrorKind> failure);

}  // namespace repoupdate
