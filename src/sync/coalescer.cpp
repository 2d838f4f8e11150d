// SPDX-License-Identifier: Apache-2.0
#include "sync/coalescer.hpp"

#include <algorithm>
#include <utility>

namespace repoupdate {
namespace {

void merge(std::map<std::string, ChangeSet::Key>& keys, const std::string& href, const ChangeSet::Key& from) {
  const auto [found, is_new] = keys.try_emplace(href);
  ChangeSet::Key& into = found->second;
  into.said_gone = from.said_gone && (is_new || into.said_gone);
  if (into.raw_href.empty()) into.raw_href = from.raw_href;
  into.receipts.insert(into.receipts.end(), from.receipts.begin(), from.receipts.end());
}

}  // namespace

void Coalescer::touch(SteadyTime now) {
  if (!m_oldest) m_oldest = now;
  m_newest = now;
}

void Coalescer::add(const std::string& href, const std::string& raw_href, const std::optional<Receipt>& receipt,
                    SteadyTime now, bool said_gone) {
  ChangeSet::Key change;
  change.said_gone = said_gone;
  if (raw_href != href) change.raw_href = raw_href;
  if (receipt) change.receipts.push_back(*receipt);
  merge(m_batch.changes.keys, href, change);
  if (m_patience == Patience::hurry) m_not_before = {};
  touch(now);
}

void Coalescer::add_reconcile(SteadyTime now) {
  m_batch.reconcile = true;
  if (!m_oldest) m_oldest = now;
}

void Coalescer::end_window() {
  m_ended = m_oldest.has_value();
}

std::optional<SteadyTime> Coalescer::due() const {
  if (!m_oldest) return std::nullopt;
  const bool full = m_ended || m_batch.reconcile || m_batch.changes.keys.size() >= m_policy.max_count;
  const SteadyTime window = full ? *m_oldest : std::min(m_newest + m_policy.quiet, *m_oldest + m_policy.max_age);
  return std::max(window, m_not_before);
}

Coalescer::Batch Coalescer::take() {
  m_oldest.reset();
  m_not_before = {};
  m_patience = Patience::wait;
  m_ended = false;
  return std::exchange(m_batch, {});
}

void Coalescer::put_back(Batch batch, SteadyTime now, SteadyTime not_before, Patience patience) {
  const bool has_new = !m_batch.changes.empty() || m_batch.reconcile;
  for (const auto& [href, key] : m_batch.changes.keys) merge(batch.changes.keys, href, key);
  batch.reconcile = batch.reconcile || m_batch.reconcile;
  m_batch = std::move(batch);
  m_not_before = patience == Patience::hurry && has_new ? SteadyTime{} : not_before;
  m_patience = patience;
  touch(now);
}

}  // namespace repoupdate
