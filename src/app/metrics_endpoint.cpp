// SPDX-License-Identifier: Apache-2.0
#include "app/metrics_endpoint.hpp"

#include <utility>

#include "app/daemon_metrics.hpp"

namespace repoupdate {
namespace {

StatusAnswer health_page(std::string_view yes, std::string_view no, const std::vector<Health::Reason>& reasons) {
  return {reasons.empty() ? 200 : 503, "application/json", health_json(yes, no, reasons)};
}

}  // namespace

StatusAnswer MetricsEndpoint::page(std::string_view path) {
  if (path == "/metrics") {
    sample_process(m_table);
    note_ready(m_table, m_health.why_not_ready().empty());
    return {200, "text/plain; version=0.0.4; charset=utf-8", m_table.exposition()};
  }
  if (path == "/healthz") return health_page("alive", "stuck", m_health.why_not_alive());
  if (path == "/readyz") {
    m_health.note_asker();
    return health_page("ready", "not ready", m_health.why_not_ready());
  }
  return {};
}

Result<void> MetricsEndpoint::listen(const std::string& where) {
  if (where == m_where) return {};
  std::unique_ptr<StatusServer> server;
  if (!where.empty()) {
    auto started = StatusServer::start(where, [this](std::string_view path) { return page(path); });
    if (!started) return std::move(started).error().within("metrics");
    server = std::move(*started);
    m_log.info("metrics listen", {{"url", "http://" + server->address() + "/metrics"}});
  }
  m_server = std::move(server);
  m_where = where;
  return {};
}

}  // namespace repoupdate
