// SPDX-License-Identifier: Apache-2.0
// Which messages wait for which keys. A message may name keys of several repositories; it is acknowledged when all
// of them are settled well, and not when one failed (invariant I4).
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "model/event.hpp"

namespace repoupdate {

// Thread-safe. Handles are kept here alone: the newest one of each message.
class Ledger {
public:
  // What a message waits for: a repository, by name, and a key in it.
  using Target = std::pair<std::string, std::string>;

  struct Message {
    Receipt receipt;
    int receives = 0;  // see Delivery
    bool has_dead_letter_queue = false;
    Target failed_at{};  // the first target that failed; empty: none did
    ExactTime sent{};    // since when somebody waits for what it says
  };

  // How a target ended; a message ends as the worst of its targets.
  enum class Outcome {
    done,       // visible, or no change
    postponed,  // not looked at: to come again later
    failed,     // looked at, and of no use
  };

  // Messages that wait for nothing any more, by outcome. They are forgotten here.
  struct Settled {
    std::vector<Receipt> done;
    std::vector<Receipt> postponed;
    std::vector<Message> failed;

    void add(Message message, Outcome outcome);
  };

  // A message, hidden since `now`, that waits for `targets`, at least one; `outcome`: of what else was in it. False
  // when it is open already: then its handle is renewed, and nothing else is to be done, since what it names
  // is looked at or was looked at after it was first sent.
  bool open(const Message& message, const std::vector<Target>& targets, SteadyTime now,
            Outcome outcome = Outcome::done);

  // These messages need not wait for `target` any more; those that wait for nothing now are moved to `settled`.
  void settle(std::span<const Receipt> receipts, const Target& target, Outcome outcome, Settled& settled);

  std::size_t count(const std::string& source) const;
  // When the oldest open message of a source was sent; nothing when none is open.
  std::optional<ExactTime> oldest(const std::string& source) const;
  // All open messages of a source.
  std::vector<Receipt> open_messages(const std::string& source) const;
  // Those that were not hidden anew since `time`.
  std::vector<Receipt> hidden_before(const std::string& source, SteadyTime time) const;
  void hidden_anew(std::span<const Receipt> receipts, SteadyTime now);

private:
  struct Entry {
    Message message;
    std::set<Target> waits_for;
    SteadyTime hidden_since;
    Outcome outcome;
  };
  Entry* find(const Receipt& receipt);

  mutable std::mutex m_mutex;
  std::map<std::string, std::map<std::string, Entry>> m_sources;  // by source and message id
};

}  // namespace repoupdate
