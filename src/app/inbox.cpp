// SPDX-License-Identifier: Apache-2.0
#include "app/inbox.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "base/parallel.hpp"
#include "base/retry.hpp"
#include "model/location_href.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_poll_wait{std::chrono::seconds(20)};   // one long poll
constexpr Duration k_helper_wait{std::chrono::seconds(1)};  // of receivers beside the first: soon idle again
constexpr Duration k_postponed{std::chrono::minutes(5)};    // hidden, so that others' messages come first
constexpr Duration k_look_everywhere_every{std::chrono::hours(1)};
constexpr Duration k_told_of_unrouted_every{std::chrono::hours(1)};
constexpr Duration k_longest_rest{std::chrono::minutes(5)};  // so that an hour does not become two
constexpr std::size_t k_least_share = 100;                   // messages: of each of very many sources
const RetryPolicy k_receive_backoff{
    .attempts = 0, .base = std::chrono::seconds(1), .ceiling = std::chrono::seconds(60)};

std::map<std::string, std::vector<Receipt>> by_source(const std::vector<Receipt>& receipts) {
  std::map<std::string, std::vector<Receipt>> sorted;
  for (const auto& receipt : receipts) sorted[receipt.source].push_back(receipt);
  return sorted;
}

}  // namespace

Result<void> Inbox::add(std::unique_ptr<EventSource> source) {
  const std::string name = source->name();
  const bool is_new = m_sources.try_emplace(name, Source{std::move(source), {m_session.metrics, name}}).second;
  if (!is_new) return Error{ErrorKind::invalid, "queue " + name + " is configured twice", {}};
  m_health.expect(Health::Kind::source, name);
  return {};
}

std::set<std::string> Inbox::names() const {
  std::set<std::string> names;
  for (const auto& [name, source] : m_sources) names.insert(name);
  return names;
}

void Inbox::start(std::vector<std::jthread>& threads, std::stop_token stop) {
  // Each source has its own share, so that a backlog in one cannot keep the messages of another out.
  const auto queues = static_cast<std::size_t>(
      std::ranges::count_if(m_sources, [](const auto& source) { return source.second.comes_back(); }));
  m_most_open =
      std::max<std::size_t>(m_session.settings.daemon.open_messages / std::max<std::size_t>(queues, 1), k_least_share);
  m_looked_everywhere = m_session.clock.steady();  // a daemon begins with that
  for (auto& [name, source] : m_sources) {
    const std::size_t receivers = source.comes_back() ? m_session.settings.daemon.receivers : 1;
    source.receivers = ReceiverCount(receivers);
    for (std::size_t i = 0; i < receivers; ++i)
      threads.emplace_back([this, &source = source, i, stop] { receive(source, i, stop); });
    if (source.comes_back()) threads.emplace_back([this, &source = source, stop] { keep_hidden(source, stop); });
  }
}

bool Inbox::is_full(const Source& source) const {
  return source.comes_back() && m_ledger.count(source.door->name()) >= m_most_open;
}

bool Inbox::is_crowded(const std::string& source) const {
  return is_full(m_sources.at(source));
}

bool Inbox::make_room(const std::string& repository, std::map<std::string, ChangeSet::Key>& keys,
                      Ledger::Settled& settled) {
  // Before the first is let go: then there is room again.
  std::set<std::string_view> crowded;
  for (const auto& [name, source] : m_sources)
    if (is_crowded(name)) crowded.insert(name);
  const auto is_let_go = [&](const Receipt& receipt) { return crowded.contains(receipt.source); };
  bool let_go = false;
  for (auto key = keys.begin(); key != keys.end();) {
    auto& receipts = key->second.receipts;
    const auto leaving = std::ranges::stable_partition(receipts, std::not_fn(is_let_go));
    if (leaving.empty()) {
      ++key;
      continue;
    }
    let_go = true;
    m_ledger.settle(leaving, {repository, key->first}, Ledger::Outcome::postponed, settled);
    receipts.erase(leaving.begin(), leaving.end());
    key = receipts.empty() ? keys.erase(key) : std::next(key);
  }
  return let_go;
}

// False when a stop is requested.
bool Inbox::await_turn(Source& source, std::size_t number, std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  if (number == 0 && is_full(source)) m_work.end_windows();  // nothing more comes that it could wait for
  return m_changed.wait(lock, stop, [&] { return number < source.receivers.wanted() && !is_full(source); }) &&
         !stop.stop_requested();
}

void Inbox::receive(Source& source, std::size_t number, std::stop_token stop) {
  const std::string name = source.door->name();
  const std::size_t thread = m_health.add_thread("receiver " + std::to_string(number + 1) + " of " + name);
  bool is_first = true;  // asked briefly: whether it answers at all is not to be known 20 seconds later
  for (int failures = 0; await_turn(source, number, stop);) {
    const Duration wait = number == 0 && !std::exchange(is_first, false) ? k_poll_wait : k_helper_wait;
    m_health.works(thread, "receive", wait);
    if (number == 0) m_health.asked(Health::Kind::source, name, wait);
    const auto deliveries = source.door->receive(wait, stop);
    if (stop.stop_requested() && !deliveries) return;
    note_received(source, deliveries);
    {
      const std::scoped_lock lock(m_mutex);
      deliveries ? source.receivers.received(deliveries->size()) : source.receivers.failed();
    }
    m_changed.notify_all();
    if (deliveries) {
      failures = 0;
      accept(source, *deliveries);
      m_health.rests(thread);
      continue;
    }
    m_health.rests(thread);
    note_failure(name, deliveries.error());
    // A watch has waited already, and other directories of it are well.
    if (source.comes_back())
      m_session.clock.sleep_for(retry_delay(k_receive_backoff, ++failures, 0.5 + jitter() / 2), stop);
  }
}

void Inbox::note_failure(const std::string& source, const Error& error) const {
  const std::initializer_list<LogField> fields{{"source", source},
                                               {"kind", to_string(error.kind)},
                                               {"error", error.message},
                                               LogField::if_any("request_id", error.request_id)};
  if (error.kind == ErrorKind::throttled)  // passes by itself
    m_session.log.warning("cannot receive", fields);
  else
    m_session.log.error("cannot receive", fields);
}

void Inbox::note_received(Source& source, const Result<std::vector<Delivery>>& deliveries) {
  const std::string name = source.door->name();
  source.metrics.up.set(deliveries ? 1 : 0);
  if (!deliveries) return m_health.fails(Health::Kind::source, name, deliveries.error().text());
  m_health.well(Health::Kind::source, name);
  source.metrics.received.add(deliveries->size());
}

void Inbox::accept(Source& source, const std::vector<Delivery>& deliveries) {
  Ledger::Settled settled;
  for (const auto& delivery : deliveries) accept(source, delivery, settled);
  conclude(std::move(settled));
}

void Inbox::accept(Source& source, const Delivery& delivery, Ledger::Settled& settled) {
  auto outcome = Ledger::Outcome::done;
  auto routes = route(source, delivery, outcome);
  // Somebody waits since the package changed, or at least since that was sent.
  ExactTime sent = delivery.sent.value_or(m_session.clock.now_exactly());
  for (auto& one : routes) {
    if (!one.happened) one.happened = sent;
    if (!delivery.sent) sent = std::min(sent, *one.happened);
  }
  if (!delivery.problem.empty()) outcome = std::max(outcome, judge_problem(source, delivery));
  std::optional<Receipt> ticket;
  if (source.comes_back()) {
    ticket = Receipt{delivery.receipt.source, delivery.receipt.message_id, {}};
    const Ledger::Message message{delivery.receipt, delivery.receives, delivery.has_dead_letter_queue, {}, sent};
    std::vector<Ledger::Target> targets;
    for (const auto& one : routes) targets.emplace_back(m_board.name(one.repository), one.href);
    if (targets.empty()) return settled.add(message, outcome);
    if (!m_ledger.open(message, targets, m_session.clock.steady(), outcome)) return;
  }
  m_work.add(routes, ticket);
}

std::vector<Route> Inbox::route(Source& source, const Delivery& delivery, Ledger::Outcome& outcome) {
  std::vector<Route> routes;
  for (const auto& event : delivery.events) {
    auto route = m_board.route(event);
    if (!route) {
      outcome = Ledger::Outcome::postponed;
      want_to_look_everywhere();  // it may come so often that the queue puts it aside
      m_session.log.warning("cannot tell which repository a key belongs to",
                            {{"source", delivery.receipt.source},
                             {"message_id", delivery.receipt.message_id},
                             {"error", route.error().text()}});
    } else if (*route) {
      routes.push_back(**std::move(route));
    } else {
      note_unrouted(source, event);
    }
  }
  return routes;
}

// A bucket may hold much else. But where a prefix is misspelt, this is all that there is to see of it.
void Inbox::note_unrouted(Source& source, const Event& event) {
  if (!is_package_href(basename_of(event.key))) return;
  source.metrics.unrouted.add();
  const SteadyTime now = m_session.clock.steady();
  const bool is_told = [&] {
    const std::scoped_lock lock(m_mutex);
    if (source.told_of_unrouted && now - *source.told_of_unrouted < k_told_of_unrouted_every) return true;
    source.told_of_unrouted = now;
    return false;
  }();
  const std::initializer_list<LogField> fields{
      {"source", source.door->name()}, {"bucket", event.bucket}, {"key", event.key}};
  if (is_told)
    m_session.log.debug("package of no repository", fields);
  else
    m_session.log.info("package of no repository", fields);
}

// A message, or a part of it, that nobody understands.
Ledger::Outcome Inbox::judge_problem(Source& source, const Delivery& delivery) {
  const auto verdict =
      judge_poison(poison_policy(source.door->name()), delivery.receives, delivery.has_dead_letter_queue);
  if (!source.comes_back() || verdict != PoisonVerdict::parked) {
    m_session.log.warning("message not understood", {{"source", delivery.receipt.source},
                                                     {"message_id", delivery.receipt.message_id},
                                                     {"receives", delivery.receives},
                                                     {"error", delivery.problem}});
    return Ledger::Outcome::failed;
  }
  m_session.log.error("message not understood, given up", {{"source", delivery.receipt.source},
                                                           {"message_id", delivery.receipt.message_id},
                                                           {"receives", delivery.receives},
                                                           {"error", delivery.problem},
                                                           {"body", delivery.excerpt}});
  source.metrics.parked.add();
  want_to_look_everywhere();  // it may have told of packages
  return Ledger::Outcome::done;
}

void Inbox::want_to_look_everywhere() {
  const std::scoped_lock lock(m_mutex);
  m_look_everywhere = true;
}

void Inbox::keep_hidden(Source& source, std::stop_token stop) {
  const Duration visibility = source.door->visibility();
  const std::size_t thread = m_health.add_thread("keeper of " + source.door->name());
  for (; m_session.clock.sleep_for(std::min(visibility / 6, k_longest_rest), stop); m_health.rests(thread)) {
    m_health.works(thread, "hide messages");
    const SteadyTime now = m_session.clock.steady();
    const auto due = m_ledger.hidden_before(source.door->name(), now - visibility / 3);
    if (const auto extended = source.door->extend(due, visibility); extended)
      m_ledger.hidden_anew(due, now);
    else
      m_session.log.warning("cannot keep messages hidden",
                            {{"source", source.door->name()}, {"error", extended.error().text()}});
    look_everywhere();
  }
}

// What a message that was given up may have said, a comparison with the listing finds; not for each of them.
void Inbox::look_everywhere() {
  {
    const std::scoped_lock lock(m_mutex);
    const SteadyTime now = m_session.clock.steady();
    if (!m_look_everywhere || now < m_looked_everywhere + k_look_everywhere_every) return;
    m_look_everywhere = false;
    m_looked_everywhere = now;
  }
  for (std::size_t i = 0; i < m_board.size(); ++i) m_work.add_reconcile(i);
}

PoisonPolicy Inbox::poison_policy(const std::string& source) const {
  return {static_cast<int>(m_session.settings.daemon.park_after), m_sources.at(source).door->visibility()};
}

void Inbox::conclude(Ledger::Settled settled) {
  {
    const std::scoped_lock lock(m_mutex);  // whoever is about to wait sees the room there is now
  }
  m_changed.notify_all();
  std::map<Duration, std::vector<Receipt>> later;
  for (auto& message : settled.failed) {
    const PoisonPolicy policy = poison_policy(message.receipt.source);
    const auto verdict = judge_poison(policy, message.receives, message.has_dead_letter_queue);
    SourceMetrics& metrics = m_sources.at(message.receipt.source).metrics;
    (verdict == PoisonVerdict::parked ? metrics.parked : metrics.failed).add();
    if (verdict == PoisonVerdict::tried_again)
      later[poison_delay(policy, message.receives)].push_back(std::move(message.receipt));
    if (verdict != PoisonVerdict::parked) continue;
    m_session.log.error("package not listed, its message given up", {{"source", message.receipt.source},
                                                                     {"message_id", message.receipt.message_id},
                                                                     {"receives", message.receives},
                                                                     {"repository", message.failed_at.first},
                                                                     {"location_href", message.failed_at.second}});
    settled.done.push_back(std::move(message.receipt));
  }
  for (const auto& receipt : settled.postponed) m_sources.at(receipt.source).metrics.postponed.add();
  for (auto& receipt : settled.postponed)
    later[std::max(k_postponed, m_sources.at(receipt.source).door->visibility())].push_back(std::move(receipt));
  acknowledge(settled.done);
  for (const auto& [duration, receipts] : later) hide(receipts, duration);
}

void Inbox::acknowledge(const std::vector<Receipt>& receipts) {
  for (const auto& [name, mine] : by_source(receipts)) {
    const auto left = m_sources.at(name).door->acknowledge(mine);
    const std::size_t failed = left ? left->size() : mine.size();
    m_sources.at(name).metrics.acknowledged.add(mine.size() - failed);
    if (failed > 0)  // harmless: they come again and change nothing
      m_session.log.warning("messages not acknowledged",
                            {{"source", name},
                             {"messages", std::uint64_t{failed}},
                             {"error", left ? std::string("refused by the queue") : left.error().text()}});
  }
}

// Best effort: at worst they come again sooner.
void Inbox::hide(const std::vector<Receipt>& receipts, Duration duration) {
  for (const auto& [name, mine] : by_source(receipts))
    if (const auto hidden = m_sources.at(name).door->extend(mine, duration); !hidden)
      m_session.log.debug("cannot hide messages", {{"source", name}, {"error", hidden.error().text()}});
}

void Inbox::sample() {
  const ExactTime now = m_session.clock.now_exactly();
  for (auto& [name, source] : m_sources) {
    const auto oldest = m_ledger.oldest(name);
    const std::chrono::duration<double> age = now - oldest.value_or(now);
    source.metrics.open.set(static_cast<double>(m_ledger.count(name)));
    source.metrics.oldest_age.set(std::max(age.count(), 0.0));
    source.metrics.up.set(m_health.is_well(Health::Kind::source, name) ? 1 : 0);
  }
}

void Inbox::release() {
  std::vector<std::vector<Receipt>> open;
  for (const auto& [name, source] : m_sources) open.push_back(m_ledger.open_messages(name));
  for_each_parallel(open.size(), open.size(), [&](std::size_t i) { hide(open[i], Duration(0)); });
}

}  // namespace repoupdate
