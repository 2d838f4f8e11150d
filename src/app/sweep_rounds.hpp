// SPDX-License-Identifier: Apache-2.0
// When the daemon sweeps which repository: one after the other in a thread of its own, each at most once in its period,
// and not at all while nothing was published and nothing is left to go.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "app/repository_board.hpp"
#include "app/session.hpp"
#include "sync/sweep.hpp"

namespace repoupdate {

// Thread-safe. The references must outlive it.
class SweepRounds {
public:
  SweepRounds(Session& session, const RepositoryBoard& board) : m_session(session), m_board(board) {}

  // Something was superseded there.
  void note_published(std::size_t repository);

  // Sweeps until a stop is requested.
  void run(std::stop_token stop);

private:
  struct Round {
    Duration period{0};             // 0: never
    SteadyTime earliest{};          // one period after the last sweep, more or less
    std::optional<SteadyTime> due;  // none: not before something is published
    std::string told;               // the failure that was logged last
    std::string told_of_uploads;    // the same of what leaves the rest of the sweep as it is
  };
  void meet_new_repositories();
  std::optional<std::size_t> next_due(SteadyTime now, SteadyTime& wake) const;
  void sweep_one(std::size_t repository, const std::stop_token& stop);
  void plan_next(std::size_t repository, const Result<SweepReport>& report);
  void tell(std::size_t repository, const std::string& name, const Result<SweepReport>& report);

  Session& m_session;
  const RepositoryBoard& m_board;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::vector<Round> m_rounds;  // by the board's numbers
};

}  // namespace repoupdate
