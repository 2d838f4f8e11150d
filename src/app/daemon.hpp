// SPDX-License-Identifier: Apache-2.0
// The service: sources put events into the work list, workers take repositories out of it, and a message is
// acknowledged when all that it named is visible.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "app/repository_board.hpp"
#include "app/session.hpp"
#include "model/event_source.hpp"
#include "sync/ledger.hpp"
#include "sync/update.hpp"
#include "sync/work_list.hpp"

namespace repoupdate {

class Daemon {
public:
  Daemon(Session& session, std::optional<Discovery> discovery);

  // Opens what the settings name. An Error: a setting is wrong, so the daemon does not start.
  Result<void> open();

  // Serves until a stop is requested: what is being published is finished, what is not is left to come back.
  void run(std::stop_token stop);

private:
  void receive_from(EventSource& source, std::stop_token stop);
  void accept(EventSource& source, const Delivery& delivery);
  void keep_hidden(std::stop_token stop);
  void release();
  void work(std::stop_token stop);
  void finish(const WorkList::Job& job, const UpdateReport& report);
  void acknowledge(const std::vector<Receipt>& receipts);
  void log_outcome(const Repository& repository, const UpdateReport& report, SteadyTime started) const;

  Session& m_session;
  WorkList m_work;
  RepositoryBoard m_board;
  Ledger m_ledger;
  std::map<std::string, std::unique_ptr<EventSource>> m_sources;  // by name
};

// Runs daemons one after the other: SIGHUP ends one and starts the next with the settings read again.
ExitCode run_daemon(Session& session, const std::optional<Discovery>& discovery);

}  // namespace repoupdate
