// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "app/open_files.hpp"
#include "app/webhook.hpp"
#include "base/version.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_held_back{std::chrono::minutes(5)};       // until a held back publication is looked at again
constexpr Duration k_finish_within{std::chrono::seconds(20)};  // after a requested stop

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Daemon::Daemon(Session& session, std::optional<Discovery> discovery)
    : m_session(session),
      m_work(session.clock, session.settings.daemon.retry_ceiling, session.settings.daemon.workers),
      m_memory({.disk = session.settings.cache.disk_mib << 20,
                .memory = session.settings.cache.memory_mib << 20,
                .repositories = repositories_to_remember(raise_open_file_limit())}),
      m_board(session, m_work, m_memory, std::move(discovery)),
      m_inbox(session, m_board, m_work),
      m_sweeps(session, m_board) {}

Result<void> Daemon::open(Directory when_missing) {
  if (auto added = m_board.add(m_session.settings.repositories, when_missing); !added) return added;
  for (const auto& settings : m_session.settings.queues) {
    auto queue = m_session.stores->queue(settings, m_session.settings.daemon.visibility);
    if (!queue) return std::move(queue).error();
    if (auto added = m_inbox.add(*std::move(queue)); !added) return added;
  }
  if (!m_session.settings.webhook.listen.empty()) {
    auto webhook = open_webhook(m_session);
    if (!webhook) return std::move(webhook).error();
    if (auto added = m_inbox.add(*std::move(webhook)); !added) return added;
  }
  // Watching begins before the first listing, so that nothing happens unseen between the two.
  if (auto directories = m_board.directories(); !directories.empty()) {
    auto watch = m_session.stores->watch(std::move(directories));
    if (!watch) return std::move(watch).error();
    if (auto added = m_inbox.add(*std::move(watch)); !added) return added;
  }
  return {};
}

void Daemon::run(std::stop_token stop) {
  // Events may have been missed while nobody listened.
  for (std::size_t i = 0; i < m_board.size(); ++i) m_work.add_reconcile(i);
  {
    std::vector<std::jthread> threads;
    m_inbox.start(threads, stop);
    for (std::uint64_t i = 0; i < m_session.settings.daemon.workers; ++i)
      threads.emplace_back([this, stop] { work(stop); });
    threads.emplace_back([this, stop] { m_sweeps.run(stop); });
    m_session.log.info("ready", {{"version", k_version},
                                 {"repositories", std::uint64_t{m_board.size()}},
                                 {"sources", std::uint64_t{m_inbox.size()}}});
  }
  m_inbox.release();
}

void Daemon::work(std::stop_token stop) {
  while (auto job = m_work.take(stop)) {
    const Repository repository = m_board.repository(job->repository);
    const SteadyTime started = m_session.clock.steady();
    UpdateRequest request;
    request.changes = job->batch.changes;
    request.reconcile = job->batch.reconcile;
    request.quarantine_passing =
        static_cast<std::uint64_t>(job->failures) + 1 >= m_session.settings.daemon.quarantine_after;
    const auto report = update(repository, request, m_session.clock, stop);
    if (report) {
      log_outcome(repository, *report, started);
      if (report->published) m_sweeps.note_published(job->repository);
      finish(*job, *report);
      continue;
    }
    give_up(*std::move(job), repository.name, report.error());
  }
}

// Everything is tried again. A publication that waits for somebody's word is told once for each thing that it would do,
// and looked at less often.
void Daemon::give_up(WorkList::Job job, const std::string& repository, const Error& error) {
  Ledger::Settled settled;
  const bool is_held_back = error.kind == ErrorKind::unconfirmed;
  if (is_held_back) {
    const std::scoped_lock lock(m_mutex);
    if (std::exchange(m_refused[job.repository], error.text()) != error.text())
      m_session.log.error("publication held back", {{"repository", repository}, {"error", error.text()}});
  } else if (error.kind != ErrorKind::cancelled) {
    m_session.log.error("cannot update", {{"repository", repository},
                                          {"kind", to_string(error.kind)},
                                          {"error", error.text()},
                                          {"attempt", job.failures + 1}});
  }
  if (error.kind != ErrorKind::cancelled) make_room(repository, job.batch, settled);
  m_work.give_back(std::move(job), is_held_back ? k_held_back : Duration(0));
  m_inbox.conclude(std::move(settled));
}

// What is let go comes again later, and the comparison with the listing that is tried instead of it sees everything
// that it names.
void Daemon::make_room(const std::string& repository, Coalescer::Batch& batch, Ledger::Settled& settled) {
  const std::size_t before = settled.postponed.size();
  if (!m_inbox.make_room(repository, batch.changes.keys, settled)) return;
  m_session.log.warning("too many messages are open, those of a failing repository are left for later",
                        {{"repository", repository}, {"messages", std::uint64_t{settled.postponed.size() - before}}});
  batch.reconcile = true;
}

// Every key is visible as it is now, or failed. A failure that may pass is tried again, its messages stay ours;
// one that will not pass is poison.
void Daemon::finish(const WorkList::Job& job, const UpdateReport& report) {
  std::map<std::string_view, ErrorKind> failed;
  for (const auto& failure : report.failures) failed.emplace(failure.href, failure.error.kind);
  const auto failure_of = [&](const std::string& href, const std::string& raw) {
    auto found = failed.find(href);
    if (found == failed.end()) found = failed.find(raw);
    return found;
  };
  const std::string name = m_board.name(job.repository);
  {
    const std::scoped_lock lock(m_mutex);
    m_refused.erase(job.repository);
  }
  Coalescer::Batch rest;
  Ledger::Settled settled;
  for (const auto& [href, key] : job.batch.changes.keys) {
    const auto failure = failure_of(href, key.raw_href);
    if (failure != failed.end() && !is_final(failure->second)) {
      rest.changes.keys[href] = key;
      continue;
    }
    const auto outcome = failure == failed.end() ? Ledger::Outcome::done : Ledger::Outcome::failed;
    m_inbox.settle(key.receipts, {name, href}, outcome, settled);
  }
  // What a listing brought up and could not be read stays on the list, too.
  for (const auto& failure : report.failures)
    if (!is_final(failure.error.kind) && !rest.changes.keys.contains(failure.href)) rest.changes.keys[failure.href];
  make_room(name, rest, settled);
  m_work.finish(job, std::move(rest));  // first: the next job need not wait for the queue
  m_inbox.conclude(std::move(settled));
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
  for (const auto& key : report.repaired)
    log.warning("metadata file had other bytes than its name says, put again",
                {{"repository", repository.name}, {"key", key}});
  log_quarantine(repository, report.quarantine);
  if (report.signed_anew)
    log.warning("repomd.xml had no signature that fits it by the configured key, signed",
                {{"repository", repository.name}, {"revision", report.revision}});
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

void Daemon::log_quarantine(const Repository& repository, const QuarantineReport& quarantine) const {
  const Log& log = m_session.log;
  const std::uint64_t total = quarantine.total.value_or(0);
  for (const auto& href : quarantine.added)
    log.warning("package in quarantine",
                {{"repository", repository.name}, {"location_href", href}, {"quarantined", total}});
  for (const auto& href : quarantine.released)
    log.info("package left quarantine",
             {{"repository", repository.name}, {"location_href", href}, {"quarantined", total}});
  for (const auto& record : quarantine.held)
    log.debug("package still in quarantine", {{"repository", repository.name},
                                              {"location_href", record.href},
                                              {"since", to_iso8601(record.since)},
                                              {"error", record.reason}});
  if (quarantine.failure)
    log.warning("cannot keep the quarantine", {{"repository", repository.name},
                                               {"kind", to_string(quarantine.failure->kind)},
                                               {"error", quarantine.failure->text()}});
  if (quarantine.not_recorded > 0 && !quarantine.failure)
    log.warning("quarantine is full", {{"repository", repository.name},
                                       {"quarantined", total},
                                       {"not_recorded", std::uint64_t{quarantine.not_recorded}}});
}

namespace {

// Ends with whichever of the two comes first.
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

// Serves with the settings as they are, until a stop or a SIGHUP.
Result<void> serve(Session& session, const std::optional<Discovery>& discovery, Directory when_missing,
                   std::stop_token hangup) {
  Daemon daemon(session, discovery);
  if (auto opened = daemon.open(when_missing); !opened) return opened;
  const Term term(session.stop, std::move(hangup));
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
  // At the start a directory that is not there is a mistake in the settings; later it may be a mount that is lost, and
  // a SIGHUP that is only meant for the log must not end what waits for it.
  Directory when_missing = Directory::must_exist;
  std::stop_token hangup = session.hangup();
  while (true) {
    const auto served = serve(session, discovery, when_missing, hangup);
    if (!served) {
      session.log.error("cannot start", {{"error", served.error().text()}});
      if (!proven) return fail(served.error());
      session.log.error("going on with the settings of before");
      use(session, *std::exchange(proven, std::nullopt));
      continue;
    }
    if (session.stop.stop_requested()) break;
    proven = session.settings;
    when_missing = Directory::may_come;
    hangup = session.hangup();  // before the settings are read: what changes afterwards is signalled again
    auto settings = session.reload();
    if (!settings) session.log.error("settings not read again", {{"error", settings.error().text()}});
    use(session, settings ? std::move(*settings) : *proven);
  }
  session.log.info("stopped");
  return ExitCode::done;
}

}  // namespace repoupdate
