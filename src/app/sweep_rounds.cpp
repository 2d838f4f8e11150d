// SPDX-License-Identifier: Apache-2.0
#include "app/sweep_rounds.hpp"

#include <algorithm>

#include "base/heap.hpp"
#include "base/retry.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_look_for_repositories{std::chrono::minutes(1)};  // that were found meanwhile

// Several daemons, and several repositories of one, need not sweep at the same moment.
Duration spread(Duration period, double least, double most) {
  return std::chrono::duration_cast<Duration>(period * (least + (most - least) * jitter()));
}

}  // namespace

void SweepRounds::note_published(std::size_t repository) {
  const std::scoped_lock lock(m_mutex);
  if (repository >= m_rounds.size() || m_rounds[repository].period == Duration(0)) return;
  Round& round = m_rounds[repository];
  round.due = round.due ? std::min(*round.due, round.earliest) : round.earliest;
  m_changed.notify_all();
}

void SweepRounds::meet_new_repositories() {
  const std::size_t known = m_rounds.size();
  for (std::size_t i = known; i < m_board.size(); ++i) {
    Round round;
    round.period = settings_for(m_session.settings, m_board.name(i)).sweep;
    if (round.period > Duration(0)) round.due = m_session.clock.steady() + spread(round.period, 0.05, 0.5);
    round.earliest = round.due.value_or(SteadyTime{});
    m_rounds.push_back(std::move(round));
  }
}

std::optional<std::size_t> SweepRounds::next_due(SteadyTime now, SteadyTime& wake) const {
  for (std::size_t i = 0; i < m_rounds.size(); ++i) {
    if (!m_rounds[i].due) continue;
    if (*m_rounds[i].due <= now) return i;
    wake = std::min(wake, *m_rounds[i].due);
  }
  return std::nullopt;
}

void SweepRounds::run(std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    meet_new_repositories();
    const SteadyTime now = m_session.clock.steady();
    SteadyTime wake = now + k_look_for_repositories;
    const auto repository = next_due(now, wake);
    if (!repository) {
      m_changed.wait_for(lock, stop, std::chrono::ceil<Duration>(wake - now), [] { return false; });
      continue;
    }
    m_rounds[*repository].due.reset();
    lock.unlock();
    sweep_one(*repository, stop);
    return_thread_memory();
    lock.lock();
  }
}

void SweepRounds::sweep_one(std::size_t number, const std::stop_token& stop) {
  const Repository repository = m_board.repository(number);
  const auto report = sweep(repository, false, m_session.clock, stop);
  const std::scoped_lock lock(m_mutex);
  plan_next(number, report);
  tell(number, repository.name, report);
}

void SweepRounds::plan_next(std::size_t number, const Result<SweepReport>& report) {
  Round& round = m_rounds[number];
  const SteadyTime now = m_session.clock.steady();
  round.earliest = now + spread(round.period, 0.75, 1.25);
  const bool again = !report || report->failed() > 0 || report->is_partial || report->due_in ||
                     round.due;  // published while it was swept
  if (!again) return;
  const bool can_wait = report && report->failed() == 0 && !report->is_partial && report->due_in && !round.due;
  round.due = can_wait ? std::max(round.earliest, now + *report->due_in) : round.earliest;
}

void SweepRounds::tell(std::size_t number, const std::string& name, const Result<SweepReport>& report) {
  if (report.failed_with(ErrorKind::conflict) || report.failed_with(ErrorKind::cancelled) ||
      report.failed_with(ErrorKind::not_found))
    return;
  const Log& log = m_session.log;
  // Once for as long as it is the same, whatever request it was.
  const auto warn = [&](const char* what, const std::optional<Error>& failure, std::string& told) {
    const std::string message = failure ? failure->message : "";
    if (failure && message != told) log.warning(what, {{"repository", name}, {"error", failure->text()}});
    told = message;
  };
  std::optional<Error> failure, of_uploads;
  if (!report) failure = report.error();
  if (report)
    for (const auto& item : report->items)
      if (item.failure && !failure) failure = Error(*item.failure).within(item.file.key);
  if (report && !report->upload_failures.empty()) of_uploads = report->upload_failures.front();
  Round& round = m_rounds[number];
  warn("cannot sweep", failure, round.told);
  if (report) warn("cannot remove uploads that never ended", of_uploads, round.told_of_uploads);
  if (report && report->removed() > 0)
    log.info("swept", {{"repository", name},
                       {"removed", std::uint64_t{report->removed()}},
                       {"bytes", report->removed_bytes()},
                       {"superseded", std::uint64_t{report->unnamed()}}});
}

}  // namespace repoupdate
