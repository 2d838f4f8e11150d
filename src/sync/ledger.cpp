// SPDX-License-Identifier: Apache-2.0
#include "sync/ledger.hpp"

#include <algorithm>

namespace repoupdate {

void Ledger::Settled::add(Message message, Outcome outcome) {
  switch (outcome) {
    case Outcome::done: return done.push_back(std::move(message.receipt));
    case Outcome::postponed: return postponed.push_back(std::move(message.receipt));
    case Outcome::failed: return failed.push_back(std::move(message));
  }
}

Ledger::Entry* Ledger::find(const Receipt& receipt) {
  const auto source = m_sources.find(receipt.source);
  if (source == m_sources.end()) return nullptr;
  const auto entry = source->second.find(receipt.message_id);
  return entry == source->second.end() ? nullptr : &entry->second;
}

bool Ledger::open(const Message& message, const std::vector<Target>& targets, SteadyTime now, Outcome outcome) {
  const std::scoped_lock lock(m_mutex);
  if (Entry* known = find(message.receipt)) {
    known->message.receipt.handle = message.receipt.handle;
    known->message.receives = message.receives;
    known->hidden_since = now;
    return false;
  }
  m_sources[message.receipt.source][message.receipt.message_id] =
      Entry{message, {targets.begin(), targets.end()}, now, outcome};
  return true;
}

void Ledger::settle(std::span<const Receipt> receipts, const Target& target, Outcome outcome, Settled& settled) {
  const std::scoped_lock lock(m_mutex);
  for (const auto& receipt : receipts) {
    Entry* entry = find(receipt);
    if (entry == nullptr || entry->waits_for.erase(target) == 0) continue;
    if (outcome == Outcome::failed && entry->message.failed_at == Target{}) entry->message.failed_at = target;
    entry->outcome = std::max(entry->outcome, outcome);
    if (!entry->waits_for.empty()) continue;
    settled.add(std::move(entry->message), entry->outcome);
    m_sources[receipt.source].erase(receipt.message_id);
  }
}

std::size_t Ledger::count(const std::string& source) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_sources.find(source);
  return found == m_sources.end() ? 0 : found->second.size();
}

std::optional<ExactTime> Ledger::oldest(const std::string& source) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_sources.find(source);
  if (found == m_sources.end()) return std::nullopt;
  std::optional<ExactTime> oldest;
  for (const auto& [id, entry] : found->second)
    if (!oldest || entry.message.sent < *oldest) oldest = entry.message.sent;
  return oldest;
}

std::vector<Receipt> Ledger::open_messages(const std::string& source) const {
  return hidden_before(source, SteadyTime::max());
}

std::vector<Receipt> Ledger::hidden_before(const std::string& source, SteadyTime time) const {
  std::vector<Receipt> receipts;
  const std::scoped_lock lock(m_mutex);
  const auto found = m_sources.find(source);
  if (found == m_sources.end()) return receipts;
  for (const auto& [id, entry] : found->second)
    if (entry.hidden_since < time) receipts.push_back(entry.message.receipt);
  return receipts;
}

void Ledger::hidden_anew(std::span<const Receipt> receipts, SteadyTime now) {
  const std::scoped_lock lock(m_mutex);
  for (const auto& receipt : receipts)
    if (Entry* entry = find(receipt)) entry->hidden_since = now;
}

}  // namespace repoupdate
