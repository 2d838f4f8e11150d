// SPDX-License-Identifier: Apache-2.0
// The service: the inbox puts what events name into the work list, workers take repositories out of it, and a message
// is acknowledged when all that it named is visible.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "app/health.hpp"
#include "app/inbox.hpp"
#include "app/repository_board.hpp"
#include "app/session.hpp"
#include "app/sweep_rounds.hpp"
#include "sync/update.hpp"
#include "sync/work_list.hpp"

namespace repoupdate {

class Daemon {
public:
  Daemon(Session& session, Health& health, std::optional<Discovery> discovery);

  // Opens what the settings name; `when_missing` is for directories that are not to be made. An Error: a setting is
  // wrong, so the daemon does not start.
  Result<void> open(Directory when_missing);

  // Serves until a stop is requested: what is being published is finished, what is not is left to come back.
  // `on_ready` is called when all threads run.
  void run(std::stop_token stop, const std::function<void(const std::string& status)>& on_ready);

private:
  void warn_of_silence() const;
  void work(std::size_t number, std::stop_token stop);
  void rest(std::size_t thread);
  void give_up(WorkList::Job job, const std::string& repository, const Error& error);
  void sample(std::stop_token stop);
  void probe(std::stop_token stop);
  void look_at_store(std::size_t repository);
  void finish(const WorkList::Job& job, const UpdateReport& report);
  void make_room(const std::string& repository, Coalescer::Batch& batch, Ledger::Settled& settled);
  void log_outcome(const Repository& repository, const UpdateReport& report, SteadyTime started) const;
  void log_quarantine(const Repository& repository, const QuarantineReport& quarantine) const;

  Session& m_session;
  Health& m_health;
  WorkList m_work;
  RepositoryMemory m_memory;
  RepositoryBoard m_board;
  Inbox m_inbox;
  SweepRounds m_sweeps;
  std::mutex m_mutex;                            // guards what follows
  std::map<std::size_t, std::string> m_refused;  // by repository: what was told of its held back publication
};

// Runs daemons one after the other: SIGHUP ends one and starts the next with the settings read again.
ExitCode run_daemon(Session& session, const std::optional<Discovery>& discovery);

}  // namespace repoupdate
