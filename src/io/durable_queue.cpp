// SPDX-License-Identifier: Apache-2.0
#include "io/durable_queue.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace repoupdate {
namespace {

constexpr std::int64_t k_application_id = 0x52505551;  // "RPUQ", in the header of the file
constexpr std::int64_t k_schema = 1;
constexpr std::uint64_t k_max_delivery = 4 << 20;  // bytes of bodies handed out at once, beyond the first

// AUTOINCREMENT: a number is never used again, so an old receipt cannot name a newer message.
constexpr const char* k_make_tables =
    "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL, received_at INTEGER NOT NULL,"
    "  receives INTEGER NOT NULL DEFAULT 0, parked_at INTEGER);"
    "CREATE TABLE probe (written_at INTEGER NOT NULL);"
    "INSERT INTO probe VALUES (0);"
    "PRAGMA application_id = 1380996433;"
    "PRAGMA user_version = 1;";

std::int64_t seconds_of(SystemTime time) {
  return time.time_since_epoch().count();
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return id;
}

Result<std::int64_t> number_of(SqliteFile& file, std::string_view sql) {
  SqliteStatement statement(file, sql);
  const auto row = statement.step();
  if (!row) return row.error();
  return *row ? statement.number(0) : 0;
}

Error not_ours(const std::string& path) {
  return {ErrorKind::corrupt, path + " is no queue of this program: name another file", {}};
}

}  // namespace

DurableQueue::DurableQueue(SqliteFile file, QueueLimits limits, Clock& clock)
    : m_file(std::move(file)), m_limits(limits), m_clock(clock) {}

Result<std::unique_ptr<DurableQueue>> DurableQueue::open(const std::string& path, QueueLimits limits, Clock& clock) {
  auto file = SqliteFile::open(path);
  if (file.failed_with(ErrorKind::corrupt)) {
    file.error().message += ": move the file away; what it held is found again by comparing the listings at the start";
    return std::move(file).error();
  }
  if (!file) return std::move(file).error();
  std::unique_ptr<DurableQueue> queue(new DurableQueue(std::move(*file), limits, clock));
  if (auto prepared = queue->prepare(path); !prepared) return std::move(prepared).error();
  if (auto loaded = queue->load(); !loaded) return std::move(loaded).error();
  return queue;
}

Result<void> DurableQueue::prepare(const std::string& path) {
  const auto application = number_of(m_file, "PRAGMA application_id");
  if (!application) return application.error();
  const auto schema = number_of(m_file, "PRAGMA user_version");
  if (!schema) return schema.error();
  const auto tables = number_of(m_file, "SELECT count(*) FROM sqlite_master");
  if (!tables) return tables.error();
  if (*application == 0 && *schema == 0 && *tables == 0) {
    auto transaction = SqliteTransaction::begin(m_file);
    if (!transaction) return std::move(transaction).error();
    if (auto made = m_file.run(k_make_tables); !made) return made;
    return transaction->commit();
  }
  if (*application != k_application_id) return not_ours(path);
  if (*schema != k_schema)
    return Error{ErrorKind::unsupported, path + " was written by another version of this program", {}};
  return {};
}

Result<void> DurableQueue::load() {
  SqliteStatement rows(m_file, "SELECT id, length(body), parked_at IS NOT NULL FROM messages");
  while (true) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return {};
    const std::int64_t id = rows.number(0);
    m_entries[id].bytes = static_cast<std::uint64_t>(rows.number(1));
    m_bytes += m_entries[id].bytes;
    const bool parked = rows.number(2) != 0;
    (parked ? m_parked : m_visible).insert(id);
    if (parked) m_parked_bytes += m_entries[id].bytes;
  }
}

Result<void> DurableQueue::has_room(std::size_t bytes) const {
  const std::uint64_t waiting = m_entries.size() - m_parked.size();
  if (waiting < m_limits.messages && m_bytes - m_parked_bytes + bytes <= m_limits.bytes) return {};
  return Error{ErrorKind::no_space,
               "the queue is full: " + std::to_string(waiting) + " messages of " +
                   std::to_string(m_bytes - m_parked_bytes) + " bytes wait for their repositories",
               {}};
}

Result<void> DurableQueue::put(std::string_view body) {
  const std::scoped_lock lock(m_mutex);
  m_last_put = body.size();
  if (auto room = has_room(m_last_put); !room) return room;
  auto transaction = SqliteTransaction::begin(m_file);
  if (!transaction) return std::move(transaction).error();
  SqliteStatement insert(m_file, "INSERT INTO messages (body, received_at) VALUES (?, ?)");
  if (auto done = insert.bind(body).bind(seconds_of(m_clock.now())).run(); !done) return done;
  const auto id = number_of(m_file, "SELECT last_insert_rowid()");
  if (!id) return id.error();
  const auto dropped = drop_oldest_parked(1, body.size());
  if (!dropped) return dropped.error();
  if (auto done = transaction->commit(); !done) return done;
  for (const std::int64_t old : *dropped) forget(old);
  m_entries[*id].bytes = body.size();
  m_bytes += body.size();
  m_visible.insert(*id);
  m_changed.notify_one();
  return {};
}

void DurableQueue::show_again(SteadyTime now) {
  while (!m_hidden.empty() && m_hidden.begin()->first <= now) {
    m_visible.insert(m_hidden.begin()->second);
    m_hidden.erase(m_hidden.begin());
  }
}

Duration DurableQueue::until_next(Duration wait) const {
  if (m_hidden.empty()) return wait;
  return std::min(wait, std::chrono::ceil<Duration>(m_hidden.begin()->first - m_clock.steady()));
}

Result<QueueDelivery> DurableQueue::receive(std::size_t most, Duration hidden, Duration wait, std::stop_token stop) {
  const SteadyTime deadline = m_clock.steady() + wait;
  std::unique_lock lock(m_mutex);
  while (true) {
    const SteadyTime now = m_clock.steady();
    show_again(now);
    if (stop.stop_requested()) return QueueDelivery{};
    if (!m_visible.empty()) {
      auto delivery = take(most, hidden);
      if (!delivery || !delivery->messages.empty() || !delivery->parked.empty()) return delivery;
    }
    if (now >= deadline) return QueueDelivery{};
    const Duration pause = until_next(std::chrono::ceil<Duration>(deadline - now));
    m_changed.wait_for(lock, stop, pause, [this] { return !m_visible.empty(); });
  }
}

// Counts the delivery in the file before anybody sees the message: one that ends the process ends it a limited number
// of times.
Result<void> DurableQueue::take_one(std::int64_t id, QueueDelivery& delivery) {
  SqliteStatement row(m_file, "SELECT body, receives FROM messages WHERE id = ?");
  const auto found = row.bind(id).step();
  if (!found) return found.error();
  QueuedMessage message{std::to_string(id), {}, row.text(0), static_cast<std::uint64_t>(row.number(1)) + 1};
  message.handle = std::to_string(message.receives);
  if (message.receives > m_limits.receives) {
    SqliteStatement park(m_file, "UPDATE messages SET parked_at = ? WHERE id = ?");
    delivery.parked.push_back(std::move(message));
    return park.bind(seconds_of(m_clock.now())).bind(id).run();
  }
  SqliteStatement count(m_file, "UPDATE messages SET receives = receives + 1 WHERE id = ?");
  delivery.messages.push_back(std::move(message));
  return count.bind(id).run();
}

// Parked messages give way to `more` new ones.
Result<std::vector<std::int64_t>> DurableQueue::drop_oldest_parked(std::size_t more, std::uint64_t bytes) {
  std::vector<std::int64_t> dropped;
  std::uint64_t messages = m_entries.size() + more;
  bytes += m_bytes;
  for (const std::int64_t id : m_parked) {
    if (messages <= m_limits.messages && bytes <= m_limits.bytes) break;
    SqliteStatement drop(m_file, "DELETE FROM messages WHERE id = ?");
    if (auto done = drop.bind(id).run(); !done) return std::move(done).error();
    dropped.push_back(id);
    messages -= 1;
    bytes -= m_entries.at(id).bytes;
  }
  return dropped;
}

Result<QueueDelivery> DurableQueue::take(std::size_t most, Duration hidden) {
  auto transaction = SqliteTransaction::begin(m_file);
  if (!transaction) return std::move(transaction).error();
  QueueDelivery delivery;
  std::vector<std::int64_t> taken;
  std::uint64_t bytes = 0;
  for (const std::int64_t id : m_visible) {
    bytes += m_entries[id].bytes;
    if (taken.size() == most || (!taken.empty() && bytes > k_max_delivery)) break;
    if (auto done = take_one(id, delivery); !done) return std::move(done).error();
    taken.push_back(id);
  }
  if (auto done = transaction->commit(); !done) return std::move(done).error();
  for (const std::int64_t id : taken) m_visible.erase(id);
  for (const auto& message : delivery.parked) {
    m_parked.insert(*parse_id(message.id));
    m_parked_bytes += message.body.size();
  }
  const SteadyTime until = m_clock.steady() + hidden;
  for (const auto& message : delivery.messages) {
    const std::int64_t id = *parse_id(message.id);
    Entry& entry = m_entries[id];
    entry.handle = message.handle;
    entry.until = until;
    m_hidden.emplace(until, id);
  }
  return delivery;
}

void DurableQueue::forget(std::int64_t id) {
  const auto found = m_entries.find(id);
  m_hidden.erase({found->second.until, id});
  m_visible.erase(id);
  if (m_parked.erase(id) > 0) m_parked_bytes -= found->second.bytes;
  m_bytes -= found->second.bytes;
  m_entries.erase(found);
}

DurableQueue::Standing DurableQueue::standing_of(const QueueReceipt& receipt, std::int64_t id) const {
  const auto found = m_entries.find(id);
  if (found == m_entries.end() || m_parked.contains(id)) return Standing::gone;
  // Empty: not delivered since the file was opened.
  return receipt.handle.empty() || found->second.handle != receipt.handle ? Standing::stale : Standing::newest;
}

Result<std::vector<QueueReceipt>> DurableQueue::acknowledge(std::span<const QueueReceipt> receipts) {
  const std::scoped_lock lock(m_mutex);
  std::vector<QueueReceipt> left;
  std::set<std::int64_t> done;
  auto transaction = SqliteTransaction::begin(m_file);
  if (!transaction) return std::move(transaction).error();
  for (const auto& receipt : receipts) {
    const auto id = parse_id(receipt.id);
    const Standing standing = id ? standing_of(receipt, *id) : Standing::gone;
    if (standing == Standing::stale) left.push_back(receipt);
    if (standing != Standing::newest) continue;
    SqliteStatement remove(m_file, "DELETE FROM messages WHERE id = ?");
    if (auto removed = remove.bind(*id).run(); !removed) return std::move(removed).error();
    done.insert(*id);
  }
  if (auto committed = transaction->commit(); !committed) return std::move(committed).error();
  for (const std::int64_t id : done) forget(id);
  return left;
}

void DurableQueue::extend(std::span<const QueueReceipt> receipts, Duration hidden) {
  const std::scoped_lock lock(m_mutex);
  const SteadyTime until = m_clock.steady() + hidden;
  for (const auto& receipt : receipts) {
    const auto id = parse_id(receipt.id);
    if (!id || standing_of(receipt, *id) != Standing::newest) continue;
    Entry& entry = m_entries[*id];
    m_hidden.erase({entry.until, *id});
    m_visible.erase(*id);
    entry.until = until;
    m_hidden.emplace(until, *id);
  }
  show_again(m_clock.steady());
  m_changed.notify_all();
}

Result<void> DurableQueue::check() {
  const std::scoped_lock lock(m_mutex);
  if (auto room = has_room(m_last_put); !room) return room;
  SqliteStatement write(m_file, "UPDATE probe SET written_at = ?");
  return write.bind(seconds_of(m_clock.now())).run();
}

std::uint64_t DurableQueue::size() const {
  const std::scoped_lock lock(m_mutex);
  return m_entries.size() - m_parked.size();
}

}  // namespace repoupdate
