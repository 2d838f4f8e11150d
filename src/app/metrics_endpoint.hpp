// SPDX-License-Identifier: Apache-2.0
// /metrics, /healthz and /readyz, as [metrics] describes them.
#pragma once

#include <memory>
#include <string>

#include "app/health.hpp"
#include "base/log.hpp"
#include "base/metrics.hpp"
#include "base/result.hpp"
#include "io/status_server.hpp"

namespace repoupdate {

// Goes on answering while the daemon reads its settings again. Not thread-safe.
class MetricsEndpoint {
public:
  // The references must outlive it.
  MetricsEndpoint(MetricTable& table, Health& health, const Log& log) : m_table(table), m_health(health), m_log(log) {}

  // Listens at HOST:PORT instead of where it did, or nowhere when that is empty. An Error: it cannot be listened on, and
  // all is as before.
  Result<void> listen(const std::string& where);

private:
  StatusAnswer page(std::string_view path);

  MetricTable& m_table;
  Health& m_health;
  const Log& m_log;
  std::string m_where;
  std::unique_ptr<StatusServer> m_server;
};

}  // namespace repoupdate
