// SPDX-License-Identifier: Apache-2.0
// Which messages wait for which keys. A message may name keys of several repositories; it is acknowledged
// when all of them are settled, and left to come back by itself when one failed (invariant I4).
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "model/event.hpp"

namespace repoupdate {

// Thread-safe.
class Ledger {
public:
  // What a message waits for: a repository, by name, and a key in it.
  using Target = std::pair<std::string, std::string>;

  // A message that waits for `targets`, at least one. Redelivered while it is still open, its receipt handle
  // is renewed; what it named before was already to be looked at, so it waits for nothing twice.
  void open(const Receipt& receipt, const std::vector<Target>& targets);

  // These messages need not wait for `target` any more. Returns those that wait for nothing now and had no
  // failure: acknowledge them. A message with a failure is forgotten when its last target is settled.
  std::vector<Receipt> settle(std::span<const Receipt> receipts, const Target& target, bool succeeded);

  // All open messages of a source, with their newest handles: to keep them hidden while work goes on.
  std::vector<Receipt> open_messages(const std::string& source) const;

private:
  struct Message {
    Receipt receipt;
    std::set<Target> waits_for;
    bool failed = false;
  };
  using Id = std::pair<std::string, std::string>;  // source, message id

  mutable std::mutex m_mutex;
  std::map<Id, Message> m_messages;
};

}  // namespace repoupdate
