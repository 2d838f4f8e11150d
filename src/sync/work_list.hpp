// SPDX-License-Identifier: Apache-2.0
// What is to be done in which repository, and when. Several sources put in, several workers take out; a
// repository is worked on by one worker at a time, and one that fails waits without holding up the others.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/retry.hpp"
#include "model/event.hpp"
#include "sync/coalescer.hpp"
#include "sync/router.hpp"

namespace repoupdate {

// Thread-safe.
class WorkList {
public:
  // Of `workers` that take, at most half are given repositories that failed the last time: a store that hangs
  // must not keep them all.
  WorkList(Clock& clock, Duration retry_ceiling, std::size_t workers)
      : m_clock(clock),
        m_backoff{.attempts = 0, .base = std::chrono::seconds(1), .ceiling = retry_ceiling},
        m_most_failing(std::max<std::size_t>(workers / 2, 1)) {}

  // Adds a repository and returns its number, counted from 0. `poll`: reconcile this often; 0: never.
  std::size_t add_repository(CoalescingPolicy policy, Duration poll);

  // All that one message names: in one window of each repository, however short that is.
  void add(const std::vector<Route>& routes, const std::optional<Receipt>& receipt);
  void add_reconcile(std::size_t repository);

  // Nothing more can be taken in: what waits for its window to end is due now, in every repository.
  void end_windows();

  struct Job {
    std::size_t repository;
    Coalescer::Batch batch;
    int failures;  // of this repository in a row
  };
  // Waits for work that is due. Nothing when a stop is requested. Every job has to be given back by one of
  // the two below.
  std::optional<Job> take(std::stop_token stop);

  // The job is done but for `rest`, which is tried again after a growing, jittered delay.
  void finish(const Job& job, Coalescer::Batch rest);

  // The repository could not be worked on at all; everything is tried again, later and later, and not before
  // `at_least` has passed.
  void give_back(Job job, Duration at_least = Duration(0));

private:
  struct Slot {
    Coalescer coalescer;
    Duration poll{0};
    SteadyTime next_poll{};
    bool busy = false;
    int failures = 0;
  };
  std::optional<SteadyTime> due(const Slot& slot) const;
  Job start(std::size_t number, SteadyTime now);
  void put_back(Slot& slot, Coalescer::Batch batch, Coalescer::Patience patience, Duration at_least);
  void wake();

  Clock& m_clock;
  RetryPolicy m_backoff;
  std::size_t m_most_failing;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::vector<Slot> m_slots;
  std::uint64_t m_changes = 0;  // counts what may make work due earlier
  std::size_t m_next = 0;       // where the search for work begins, so that all repositories get their turn
};

}  // namespace repoupdate
