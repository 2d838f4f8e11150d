// SPDX-License-Identifier: Apache-2.0
// Whose turn it is to write a repository's pointer: everybody's where the store compares and swaps; else that of the
// one who holds the lease.
#pragma once

#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/store_abilities.hpp"
#include "sync/lease.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

// One update's, kept through all its passes: who has lost once plans again with the lease in hand, and then cannot
// lose. A taken turn is renewed from a thread of its own, and given back by the destructor. The references must
// outlive it. Not for several threads.
class WriteTurn {
public:
  WriteTurn(const Repository& repository, Clock& clock) : m_repository(repository), m_clock(clock) {}
  ~WriteTurn();
  WriteTurn(const WriteTurn&) = delete;
  WriteTurn& operator=(const WriteTurn&) = delete;

  // The store's; may cost some requests, once.
  Result<StoreAbilities> abilities() const { return m_repository.store->abilities(m_repository.prefix); }

  Clock& clock() const { return m_clock; }

  // Waits for the lease, as Lease::acquire() says. Nothing when it is ours already.
  Result<void> take(std::stop_token stop);
  // Until when what is written in this turn has to be done. precondition_failed when the lease is not ours any more.
  Result<SteadyTime> confirm();

  // After something was written in it: it may have come after the turn's end, over what somebody else had published by
  // then, and nothing says what that was.
  void note_overrun() { m_was_overrun = true; }
  // Whether that was noted since it was last asked.
  bool was_overrun() { return std::exchange(m_was_overrun, false); }

  // What was written in it failed without an answer, and may be on its way still: the turn is not given back, but ends by
  // itself, so that nobody publishes before that.
  void leave_to_expire() { m_expires = true; }

private:
  void keep_alive(std::stop_token done);

  const Repository& m_repository;
  Clock& m_clock;
  bool m_was_overrun = false;
  bool m_expires = false;
  std::mutex m_mutex;
  std::optional<Lease> m_lease;
  std::jthread m_heartbeat;  // last: it uses the others
};

}  // namespace repoupdate
