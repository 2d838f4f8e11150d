// SPDX-License-Identifier: Apache-2.0
#include "app/daemon.hpp"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "app/attendant.hpp"
#include "app/daemon_metrics.hpp"
#include "app/metrics_endpoint.hpp"
#include "app/notify.hpp"
#include "app/open_files.hpp"
#include "app/webhook.hpp"
#include "base/heap.hpp"
#include "base/parallel.hpp"
#include "base/version.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_held_back{std::chrono::minutes(5)};       // until a held back publication is looked at again
constexpr Duration k_finish_within{std::chrono::seconds(20)};  // after a requested stop, or a SIGHUP
constexpr Duration k_start_again{std::chrono::seconds(30)};    // after the settings were read again in vain
constexpr Duration k_sample_every{std::chrono::seconds(1)};    // gauges of what goes on by itself
constexpr Duration k_probe_every{std::chrono::seconds(15)};    // of a store that nobody else has asked meanwhile
constexpr std::size_t k_probes = 8;                            // at the same time

double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Daemon::Daemon(Session& session, Health& health, std::optional<Discovery> discovery)
    : m_session(session),
      m_health(health),
      m_work(session.clock, session.settings.daemon.retry_ceiling, session.settings.daemon.workers),
      m_memory({.disk = session.settings.cache.disk_mib << 20,
                .memory = session.settings.cache.memory_mib << 20,
                .repositories = repositories_to_remember(raise_open_file_limit())}),
      m_board(session, m_work, m_memory, std::move(discovery)),
      m_inbox(session, m_board, m_work, health),
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
  std::set<std::string> names;
  for (std::size_t i = 0; i < m_board.size(); ++i) {
    names.insert(m_board.name(i));
    m_health.expect(Health::Kind::repository, m_board.name(i));
    const RepositoryMetrics all_series(m_session.metrics, m_board.name(i));
  }
  m_session.metrics.retain("repository", names);
  m_session.metrics.retain("source", m_inbox.names());
  warn_of_silence();
  return {};
}

// A bucket tells of its changes by a queue or the webhook, or it has to be polled.
void Daemon::warn_of_silence() const {
  const Settings& settings = m_session.settings;
  if (!settings.queues.empty() || !settings.webhook.listen.empty()) return;
  for (const auto& repository : settings.repositories) {
    const auto location = parse_repository_location(repository.url);
    if (!location || location->scheme != RepositoryLocation::Scheme::s3 || repository.poll > Duration(0)) continue;
    m_session.log.warning("nothing will tell of changes after the start: set a queue, the webhook, or poll",
                          {{"repository", to_string(*location)}});
  }
}

void Daemon::run(std::stop_token stop, const std::function<void(const std::string& status)>& on_ready) {
  // Events may have been missed while nobody listened.
  for (std::size_t i = 0; i < m_board.size(); ++i) m_work.add_reconcile(i);
  {
    std::vector<std::jthread> threads;
    m_inbox.start(threads, stop);
    for (std::uint64_t i = 0; i < m_session.settings.daemon.workers; ++i)
      threads.emplace_back([this, i, stop] { work(i, stop); });
    threads.emplace_back([this, stop] { sample(stop); });
    threads.emplace_back([this, stop] { probe(stop); });
    threads.emplace_back([this, stop] { m_sweeps.run(stop); });
    m_health.started();
    on_ready("serving " + std::to_string(m_board.size()) + " repositories, " + std::to_string(m_inbox.size()) +
             " sources");
    m_session.log.info("ready", {{"version", k_version},
                                 {"repositories", std::uint64_t{m_board.size()}},
                                 {"sources", std::uint64_t{m_inbox.size()}}});
  }
  m_inbox.release();
}

void Daemon::work(std::size_t number, std::stop_token stop) {
  const std::size_t thread = m_health.add_thread("worker " + std::to_string(number + 1));
  for (; auto job = m_work.take(stop); rest(thread)) {
    Repository repository = m_board.repository(job->repository);
    RepositoryMetrics metrics(m_session.metrics, repository.name);
    metrics.signed_by(repository.signer);
    const SteadyTime started = m_session.clock.steady();
    UpdateRequest request;
    request.changes = job->batch.changes;
    request.reconcile = job->batch.reconcile;
    request.quarantine_passing =
        static_cast<std::uint64_t>(job->failures) + 1 >= m_session.settings.daemon.quarantine_after;
    request.on_stage = [&](Stage stage) {
      m_health.works(thread, repository.name + ": " + std::string(to_string(stage)));
    };
    repository.on_progress = [&] { m_health.gets_further(thread); };
    const auto report = update(repository, request, m_session.clock, stop);
    m_health.works(thread, repository.name + ": acknowledge");
    if (report) {
      m_health.well(Health::Kind::repository, repository.name);
      m_health.well(Health::Kind::store, repository.name);
      metrics.up(true);
      metrics.updated(*report, request.changes, m_session.clock.now_exactly());
      log_outcome(repository, *report, started);
      if (report->published) m_sweeps.note_published(job->repository);
      finish(*job, *report);
      continue;
    }
    if (!report.failed_with(ErrorKind::cancelled)) {
      m_health.fails(Health::Kind::repository, repository.name, report.error().text());
      metrics.up(false);
      metrics.failed(m_session.clock.now_exactly());
    }
    give_up(*std::move(job), repository.name, report.error());
  }
}

void Daemon::rest(std::size_t thread) {
  return_thread_memory();
  m_health.rests(thread);
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
                                          {"error", error.message},
                                          LogField::if_any("request_id", error.request_id),
                                          {"attempt", job.failures + 1}});
  }
  if (error.kind != ErrorKind::cancelled) make_room(repository, job.batch, settled);
  m_work.give_back(std::move(job), is_held_back ? k_held_back : Duration(0));
  m_inbox.conclude(std::move(settled));
}

void Daemon::sample(std::stop_token stop) {
  const std::size_t thread = m_health.add_thread("sampler");
  do {
    m_health.works(thread, "sample");
    m_inbox.sample();
    for (std::size_t i = 0; i < m_board.size(); ++i) {
      const std::string name = m_board.name(i);
      const bool fails =
          m_health.is_failing(Health::Kind::repository, name) || m_health.is_failing(Health::Kind::store, name);
      RepositoryMetrics(m_session.metrics, name).up(!fails);
    }
    m_health.rests(thread);
  } while (m_session.clock.sleep_for(k_sample_every, stop));
}

// Where nothing changes, nobody asks a store for hours. Who wants to know whether we are ready wants to know that as
// well; as long as nobody does, one that is well costs nothing.
void Daemon::probe(std::stop_token stop) {
  while (m_session.clock.sleep_for(k_sample_every, stop)) {
    std::vector<std::size_t> due;
    for (std::size_t i = 0; i < m_board.size(); ++i)
      if (m_health.is_due(Health::Kind::store, m_board.name(i), k_probe_every)) due.push_back(i);
    for_each_parallel(due.size(), k_probes, [&](std::size_t i) {
      if (!stop.stop_requested()) look_at_store(due[i]);
    });
  }
}

void Daemon::look_at_store(std::size_t number) {
  const Repository repository = m_board.repository(number);
  m_health.asked(Health::Kind::store, repository.name);
  const auto there = repository.store->head(repository.prefix + std::string(k_repomd_key));
  // Whether a repository that is not there is to be made, its update says.
  if (there || there.failed_with(ErrorKind::not_found))
    m_health.well(Health::Kind::store, repository.name);
  else
    m_health.fails(Health::Kind::store, repository.name, there.error().text());
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
                                     {"error", failure.error.message},
                                     LogField::if_any("request_id", failure.error.request_id)});
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
                         {"seconds", seconds},
                         LogField::if_any("request_id", report.request_id)});
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

// Those who ask how the daemon fares, and are answered also while it begins anew.
struct Audience {
  explicit Audience(Session& session)
      : health(session.clock),
        endpoint(session.metrics, health, session.log),
        notifier(notify_environment()),
        attendant(session.clock, session.log, health, notifier) {}

  Health health;
  MetricsEndpoint endpoint;
  ServiceNotifier notifier;
  Attendant attendant;
};

// Serves with the settings as they are, until a stop or a SIGHUP.
Result<void> serve(Session& session, Audience& audience, const std::optional<Discovery>& discovery,
                   Directory when_missing, std::stop_token hangup) {
  // Messages of what is served no more would be acknowledged as nobody's.
  if (session.settings.repositories.empty() && !discovery)
    return Error{ErrorKind::invalid,
                 "no repository to serve: name one with --repository, or as a [[repository]] in the settings file",
                 {}};
  if (auto listens = audience.endpoint.listen(session.settings.metrics.listen); !listens) return listens;
  audience.health.begin("starting", session.settings.daemon.stuck_after);
  Daemon daemon(session, audience.health, discovery);
  if (auto opened = daemon.open(when_missing); !opened) return opened;
  const Term term(session.stop, std::move(hangup));
  const std::jthread patience([&session, end = term.end()](std::stop_token done) {
    // A store or queue that hangs must not keep us for ever, nor what is well waiting while settings are read again.
    while (!end.stop_requested() && session.clock.sleep_for(Duration(200), done)) continue;
    if (!done.stop_requested() && session.clock.sleep_for(k_finish_within, done)) session.stores->abandon();
  });
  const std::stop_callback on_stop(session.stop, [&audience] {
    audience.health.stopping();
    audience.notifier.stopping();
  });
  daemon.run(term.end(), [&session, &audience](const std::string& status) {
    audience.notifier.ready(status);
    session.on_ready();
  });
  return {};
}

// Once where people look, in the form that they want.
ExitCode fail_to_start(const Session& session, const Error& error) {
  const LogSettings& log = session.settings.log;
  const bool log_is_elsewhere = !log.file.empty();
  if (log_is_elsewhere || log.format == "json") session.log.error("cannot start", {{"error", error.text()}});
  if (log_is_elsewhere || log.format != "json") return fail(error);
  return exit_code(error.kind);
}

void use(Session& session, Settings settings) {
  session.settings = std::move(settings);
  renew_stores(session);
  if (const auto reopened = session.log.open(log_options(session.settings.log)); !reopened)
    session.log.error("log not reopened", {{"error", reopened.error().text()}});
}

}  // namespace

ExitCode run_daemon(Session& session, const std::optional<Discovery>& discovery) {
  describe_process(session.metrics, session.clock);
  Audience audience(session);
  std::optional<Settings> proven;  // settings that it served with before
  bool has_served = false;
  // At the start a directory that is not there is a mistake in the settings; later it may be a mount that is lost, and
  // a SIGHUP that is only meant for the log must not end what waits for it.
  Directory when_missing = Directory::must_exist;
  std::stop_token hangup = session.hangup();
  while (true) {
    const auto served = serve(session, audience, discovery, when_missing, hangup);
    if (!served) {
      if (!has_served) return fail_to_start(session, served.error());
      session.log.error("cannot start", {{"error", served.error().text()}});
      if (proven) {
        session.log.error("going on with the settings of before");
        use(session, *std::exchange(proven, std::nullopt));
        continue;
      }
      // What served before does not any more, as when a key has expired meanwhile. Messages wait in their queues.
      session.log.error("trying again", {{"after", to_string(k_start_again)}});
      audience.health.begin(served.error().text(), session.settings.daemon.stuck_after);
      note_nothing_served(session.metrics);
      const Term term(session.stop, hangup);
      session.clock.sleep_for(k_start_again, term.end());
    }
    if (session.stop.stop_requested()) break;
    audience.notifier.reloading();
    audience.health.begin("reading the settings again", session.settings.daemon.stuck_after);
    if (served) proven = session.settings;
    has_served = true;
    when_missing = Directory::may_come;
    hangup = session.hangup();  // before the settings are read: what changes afterwards is signalled again
    auto settings = session.reload();
    if (!settings) session.log.error("settings not read again", {{"error", settings.error().text()}});
    use(session, settings ? std::move(*settings) : proven.value_or(session.settings));
  }
  session.log.info("stopped");
  return ExitCode::done;
}

}  // namespace repoupdate
