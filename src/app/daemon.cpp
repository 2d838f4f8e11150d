// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "base/retry.hpp"
#include "base/version.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_poll_wait{std::chrono::seconds(20)};      // one long poll
constexpr Duration k_finish_within{std::chrono::seconds(20)};  // after a requested stop
const RetryPolicy k_receive_backoff{
    .attempts = 0, .base = std::chrono::seconds(1), .ceiling = std::chrono::seconds(60)};

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Daemon::Daemon(Session& session, std::optional<Discovery> discovery)
    : m_session(session),
      m_work(session.clock, session.settings.daemon.retry_ceiling, session.settings.daemon.workers),
      m_board(session, m_work, std::move(discovery)) {}

Result<void> Daemon::open() {
  for (const auto& settings : m_session.settings.repositories)
    if (auto added = m_board.add(settings); !added) return added;
  for (const auto& settings : m_session.settings.queues) {
    auto queue = m_session.stores->queue(settings, m_session.settings.daemon.visibility);
    if (!queue) return std::move(queue).error();
    const std::string name = (*queue)->name();
    if (m_sources.contains(name)) return Error{ErrorKind::invalid, "queue " + name + " is configured twice", {}};
    m_sources[name] = std::move(*queue);
  }
  // Watching begins before the first listing, so that nothing happens unseen between the two.
  if (auto directories = m_board.directories(); !directories.empty()) {
    auto watch = m_session.stores->watch(std::move(directories));
    if (!watch) return std::move(watch).error();
    const std::string name = (*watch)->name();
    m_sources[name] = std::move(*watch);
  }
  return {};
}

void Daemon::run(std::stop_token stop) {
  // Events may have been missed while nobody listened.
  for (std::size_t i = 0; i < m_board.size(); ++i) m_work.add_reconcile(i);
  {
    std::vector<std::jthread> threads;
    for (auto& [name, source] : m_sources)
      threads.emplace_back([this, &source = *source, stop] { receive_from(source, stop); });
    threads.emplace_back([this, stop] { keep_hidden(stop); });
    for (std::uint64_t i = 0; i < m_session.settings.daemon.workers; ++i)
      threads.emplace_back([this, stop] { work(stop); });
    m_session.log.info("ready", {{"version", k_version},
                                 {"repositories", std::uint64_t{m_board.size()}},
                                 {"sources", std::uint64_t{m_sources.size()}}});
  }
  release();
}

void Daemon::receive_from(EventSource& source, std::stop_token stop) {
  for (int failures = 0; !stop.stop_requested();) {
    const auto deliveries = source.receive(k_poll_wait, stop);
    if (deliveries) {
      failures = 0;
      for (const auto& delivery : *deliveries) accept(source, delivery);
    } else if (!stop.stop_requested()) {
      m_session.log.error("cannot receive", {{"source", source.name()}, {"error", deliveries.error().text()}});
      // A watch has waited already, and other directories of it are well.
      if (source.visibility() > Duration(0))
        m_session.clock.sleep_for(retry_delay(k_receive_backoff, ++failures, 0.5 + jitter() / 2), stop);
    }
  }
}

void Daemon::accept(EventSource& source, const Delivery& delivery) {
  std::vector<std::pair<Route, Ledger::Target>> routes;
  std::string problem = delivery.problem;
  for (const auto& event : delivery.events) {
    auto route = m_board.route(event);
    if (!route) {
      problem = route.error().text();
    } else if (*route) {
      routes.emplace_back(**route, Ledger::Target{m_board.repository((*route)->repository).name, (*route)->href});
    } else {
      m_session.log.debug("key of no repository", {{"bucket", event.bucket}, {"key", event.key}});
    }
  }
  const bool comes_back = source.visibility() > Duration(0);
  std::optional<Receipt> receipt;
  if (comes_back) receipt = delivery.receipt;
  if (!problem.empty())  // left alone, it is delivered again, and goes to the dead-letter queue if there is one
    m_session.log.warning("message not understood",
                          {{"source", source.name()}, {"message_id", delivery.receipt.message_id}, {"error", problem}});
  if (comes_back && routes.empty() && problem.empty()) acknowledge({delivery.receipt});
  if (comes_back && !routes.empty()) {
    std::vector<Ledger::Target> targets;
    for (const auto& [route, target] : routes) targets.push_back(target);
    if (!problem.empty()) targets.emplace_back();  // never settled well: its other half was not understood
    m_ledger.open(delivery.receipt, targets);
    if (!problem.empty()) m_ledger.settle(std::vector{delivery.receipt}, {}, false);
  }
  for (const auto& [route, target] : routes) m_work.add(route.repository, route.href, route.raw_href, receipt);
}

void Daemon::keep_hidden(std::stop_token stop) {
  const Duration visibility = m_session.settings.daemon.visibility;
  while (m_session.clock.sleep_for(visibility / 3, stop)) {
    for (auto& [name, source] : m_sources) {
      const auto open = m_ledger.open_messages(name);
      if (open.empty()) continue;
      if (const auto extended = source->extend(open, visibility); !extended)
        m_session.log.warning("cannot keep messages hidden", {{"source", name}, {"error", extended.error().text()}});
    }
  }
}

// What is left over need not wait for its visibility timeout before another daemon may have it.
void Daemon::release() {
  for (auto& [name, source] : m_sources)
    if (const auto open = m_ledger.open_messages(name); !open.empty())
      if (const auto released = source->extend(open, Duration(0)); !released)
        m_session.log.debug("cannot release messages", {{"source", name}, {"error", released.error().text()}});
}

void Daemon::work(std::stop_token stop) {
  while (auto job = m_work.take(stop)) {
    const Repository repository = m_board.repository(job->repository);
    const SteadyTime started = m_session.clock.steady();
    UpdateRequest request;
    request.changes = job->batch.changes;
    request.reconcile = job->batch.reconcile;
    const auto report = update(repository, request, m_session.clock, stop);
    if (report) {
      log_outcome(repository, *report, started);
      finish(*job, *report);
      continue;
    }
    if (!report.failed_with(ErrorKind::cancelled))
      m_session.log.error("cannot update", {{"repository", repository.name},
                                            {"kind", to_string(report.error().kind)},
                                            {"error", report.error().text()},
                                            {"attempt", job->failures + 1}});
    m_work.give_back(std::move(*job));
  }
}

// Every key is visible as it is now, or failed. A failure that may pass is tried again, its messages stay ours;
// one that will not pass releases its messages unacknowledged.
void Daemon::finish(const WorkList::Job& job, const UpdateReport& report) {
  std::map<std::string_view, ErrorKind> failed;
  for (const auto& failure : report.failures) failed.emplace(failure.href, failure.error.kind);
  const auto failure_of = [&](const std::string& href, const std::string& raw) {
    auto found = failed.find(href);
    if (found == failed.end()) found = failed.find(raw);
    return found;
  };
  const std::string name = m_board.repository(job.repository).name;
  Coalescer::Batch rest;
  std::vector<Receipt> done;
  for (const auto& [href, key] : job.batch.changes.keys) {
    const auto failure = failure_of(href, key.raw_href);
    if (failure != failed.end() && !is_final(failure->second)) {
      rest.changes.keys[href] = key;
      continue;
    }
    std::ranges::move(m_ledger.settle(key.receipts, {name, href}, failure == failed.end()), std::back_inserter(done));
  }
  // What a listing brought up and could not be read stays on the list, too.
  for (const auto& failure : report.failures)
    if (!is_final(failure.error.kind) && !rest.changes.keys.contains(failure.href)) rest.changes.keys[failure.href];
  acknowledge(done);
  m_work.finish(job, std::move(rest));
}

void Daemon::acknowledge(const std::vector<Receipt>& receipts) {
  std::map<std::string, std::vector<Receipt>> by_source;
  for (const auto& receipt : receipts) by_source[receipt.source].push_back(receipt);
  for (const auto& [name, mine] : by_source) {
    const auto left = m_sources.at(name)->acknowledge(mine);
    const std::size_t failed = left ? left->size() : mine.size();
    if (failed > 0)  // harmless: they come again and change nothing
      m_session.log.warning("messages not acknowledged",
                            {{"source", name},
                             {"messages", std::uint64_t{failed}},
                             {"error", left ? std::string("refused by the queue") : left.error().text()}});
  }
}

void Daemon::log_outcome(const Repository& repository, const UpdateReport& report, SteadyTime started) const {
  const Log& log = m_session.log;
  const double seconds = seconds_between(started, m_session.clock.steady());
  for (const auto& failure : report.failures)
    log.error("package not listed", {{"repository", repository.name},
                                     {"location_href", failure.href},
                                     {"kind", to_string(failure.error.kind)},
                                     {"error", failure.error.text()}});
  for (const auto& note : report.notes) log.info("same NEVRA twice", {{"repository", repository.name}, {"note", note}});
  for (const auto& type : report.dropped_records)
    log.warning("derived record dropped, it would be stale", {{"repository", repository.name}, {"record", type}});
  if (!report.published) {
    log.debug("nothing to change", {{"repository", repository.name}, {"seconds", seconds}});
    return;
  }
  log.info("published", {{"repository", repository.name},
                         {"revision", report.revision},
                         {"packages", std::uint64_t{report.packages}},
                         {"added", std::uint64_t{report.added()}},
                         {"replaced", std::uint64_t{report.replaced()}},
                         {"removed", std::uint64_t{report.removed()}},
                         {"lost_races", report.lost_races},
                         {"seconds", seconds}});
}

namespace {

// Ends with whichever of the two comes first; then gives requests under way a while to finish.
class Term {
public:
  Term(std::stop_token stop, std::stop_token hangup)
      : m_on_stop(std::move(stop), [this] { m_end.request_stop(); }),
        m_on_hangup(std::move(hangup), [this] { m_end.request_stop(); }) {}
  std::stop_token end() const { return m_end.get_token(); }

private:
  std::stop_source m_end;
  std::stop_callback<std::function<void()>> m_on_stop, m_on_hangup;
};

}  // namespace

namespace {

// Serves with the settings as they are, until a stop or a SIGHUP.
Result<void> serve(Session& session, const std::optional<Discovery>& discovery) {
  Daemon daemon(session, discovery);
  if (auto opened = daemon.open(); !opened) return opened;
  const Term term(session.stop, session.hangup());
  const std::jthread patience([&session](std::stop_token done) {
    // A store that hangs must not keep us for ever once a stop is requested.
    while (!session.stop.stop_requested() && session.clock.sleep_for(Duration(200), done)) continue;
    if (!done.stop_requested() && session.clock.sleep_for(k_finish_within, done)) session.abandon.request_stop();
  });
  daemon.run(term.end());
  return {};
}

void use(Session& session, Settings settings) {
  session.settings = std::move(settings);
  renew_stores(session);
  if (const auto reopened = session.log.open(log_options(session.settings.log)); !reopened)
    session.log.error("log not reopened", {{"error", reopened.error().text()}});
}

}  // namespace

ExitCode run_daemon(Session& session, const std::optional<Discovery>& discovery) {
  std::optional<Settings> proven;  // settings that it served with before
  while (true) {
    const auto served = serve(session, discovery);
    if (!served) {
      session.log.error("cannot start", {{"error", served.error().text()}});
      if (!proven) return fail(served.error());
      session.log.error("going on with the settings of before");
      use(session, *std::exchange(proven, std::nullopt));
      continue;
    }
    if (session.stop.stop_requested()) break;
    proven = session.settings;
    auto settings = session.reload();
    if (!settings) session.log.error("settings not read again", {{"error", settings.error().text()}});
    use(session, settings ? std::move(*settings) : *proven);
  }
  session.log.info("stopped");
  return ExitCode::done;
}

}  // namespace repoupdate
