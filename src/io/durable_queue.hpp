// SPDX-License-Identifier: Apache-2.0
// A queue of messages in a file, as SQS behaves: what was put is on the disk, what was received comes back unless it
// is acknowledged, and what comes back too often is parked (decision 12).
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/sqlite.hpp"

namespace repoupdate {

struct QueueLimits {
  std::uint64_t messages = 100'000;    // stored at the same time
  std::uint64_t bytes = 512ull << 20;  // of their bodies; the file is somewhat larger, and does not shrink
  std::uint64_t receives = 10;         // deliveries of one message before it is parked
};

struct QueuedMessage {
  std::string id;      // stable over redeliveries and restarts; never used for another message of the file
  std::string handle;  // acknowledges this delivery; another one with each
  std::string body;
  std::uint64_t receives = 1;  // this delivery included
};

struct QueueDelivery {
  std::vector<QueuedMessage> messages;
  std::vector<QueuedMessage> parked;  // now, instead of being delivered once more; nobody will see them again
};

// What names one delivery of a message.
struct QueueReceipt {
  std::string id;
  std::string handle;
};

// Thread-safe. The file belongs to one process at a time; how long messages are hidden is known to that process
// alone, so that all of them are visible again as soon as it is opened anew, also after a crash.
class DurableQueue {
public:
  // Opens or makes the file. ErrorKind::conflict when another process has it, corrupt when it is none of ours,
  // unsupported when a newer version wrote it. `clock` must outlive the queue.
  static Result<std::unique_ptr<DurableQueue>> open(const std::string& path, QueueLimits limits, Clock& clock);

  // On the disk when it succeeds. Parked messages give way to it, the oldest first; ErrorKind::no_space when a limit is
  // reached without them, or the disk is full.
  Result<void> put(std::string_view body);

  // The oldest visible messages, at most `most` and some MiB of them, hidden for `hidden` from now on. Waits for one
  // for at most `wait`, or until a stop is requested; then there is none.
  Result<QueueDelivery> receive(std::size_t most, Duration hidden, Duration wait, std::stop_token stop);

  // Deletes messages for good. Returns those whose handle is not the newest one: they were delivered again, and are
  // somebody else's. A message that is gone is no failure.
  Result<std::vector<QueueReceipt>> acknowledge(std::span<const QueueReceipt> receipts);

  // Hides messages for `hidden` from now on, zero: no longer. A message that is gone or was delivered again since is
  // left as it is.
  void extend(std::span<const QueueReceipt> receipts, Duration hidden);

  // Tries to write to the file. ErrorKind::no_space when put() would say so of a body as large as the last one.
  Result<void> check();

  std::uint64_t size() const;  // messages stored, without parked ones

private:
  DurableQueue(SqliteFile file, QueueLimits limits, Clock& clock);

  struct Entry {
    std::uint64_t bytes = 0;
    std::string handle;  // of the newest delivery by this process; empty: none
    SteadyTime until{};  // hidden until then, when it is in m_hidden
  };

  Result<void> prepare(const std::string& path);
  Result<void> load();
  Result<void> has_room(std::size_t bytes) const;
  void show_again(SteadyTime now);
  void forget(std::int64_t id);
  enum class Standing { newest, stale, gone };
  Standing standing_of(const QueueReceipt& receipt, std::int64_t id) const;
  Duration until_next(Duration wait) const;
  Result<QueueDelivery> take(std::size_t most, Duration hidden);
  Result<void> take_one(std::int64_t id, QueueDelivery& delivery);
  Result<std::vector<std::int64_t>> drop_oldest_parked(std::size_t more, std::uint64_t bytes);

  mutable std::mutex m_mutex;  // guards all below
  std::condition_variable_any m_changed;
  SqliteFile m_file;
  const QueueLimits m_limits;
  Clock& m_clock;
  std::map<std::int64_t, Entry> m_entries;  // everything stored
  std::uint64_t m_bytes = 0;                // of their bodies
  std::uint64_t m_parked_bytes = 0;         // the part of them that is parked
  std::size_t m_last_put = 0;               // bytes of the last body that put() was given, also in vain
  // Each entry is in one of these.
  std::set<std::int64_t> m_visible, m_parked;
  std::set<std::pair<SteadyTime, std::int64_t>> m_hidden;
};

}  // namespace repoupdate
