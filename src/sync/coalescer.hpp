// SPDX-License-Identifier: Apache-2.0
// When the changes of one repository are worked on. Pure: time is passed in.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "model/change_set.hpp"

namespace repoupdate {

struct CoalescingPolicy {
  Duration quiet{std::chrono::seconds(2)};     // nothing new for this long
  Duration max_age{std::chrono::seconds(30)};  // or the oldest change has waited this long
  std::size_t max_count = 1000;                // or this many keys are waiting
};

// Merges changes until its window ends: by quiet time, by age or by count, whichever comes first, so that a
// steady stream of events cannot starve it. Not thread-safe.
class Coalescer {
public:
  explicit Coalescer(CoalescingPolicy policy) : m_policy(policy) {}

  // A message is added once: what comes again of it is the ledger's.
  void add(const std::string& href, const std::string& raw_href, const std::optional<Receipt>& receipt, SteadyTime now,
           bool said_gone = false);

  // Everything in the repository is to be compared with its listing, as soon as nothing stands in the way.
  void add_reconcile(SteadyTime now);

  // What was collected so far waits for nothing more.
  void end_window();

  // When work may start; nothing when there is none.
  std::optional<SteadyTime> due() const;

  struct Batch {
    ChangeSet changes;
    bool reconcile = false;
  };
  // Hands over all that was collected and starts anew.
  Batch take();

  // Gives back what could not be done; due again at `not_before` at the earliest, together with whatever
  // has come meanwhile. With `hurry`, what came meanwhile or comes later need not wait for that: only a few keys failed.
  enum class Patience { wait, hurry };
  void put_back(Batch batch, SteadyTime now, SteadyTime not_before, Patience patience);

private:
  void touch(SteadyTime now);

  CoalescingPolicy m_policy;
  Batch m_batch;
  std::optional<SteadyTime> m_oldest;
  SteadyTime m_newest{};
  SteadyTime m_not_before{};
  Patience m_patience = Patience::wait;
  bool m_ended = false;
};

}  // namespace repoupdate
