// SPDX-License-Identifier: Apache-2.0
#include "sync/work_list.hpp"

#include <algorithm>
#include <utility>

namespace repoupdate {

std::size_t WorkList::add_repository(CoalescingPolicy policy, Duration poll) {
  const std::scoped_lock lock(m_mutex);
  m_slots.push_back({Coalescer(policy), poll, m_clock.steady() + poll, false, 0});
  return m_slots.size() - 1;
}

void WorkList::add(const std::vector<Route>& routes, const std::optional<Receipt>& receipt) {
  const std::scoped_lock lock(m_mutex);
  for (const auto& [repository, href, raw_href, said_gone] : routes)
    m_slots[repository].coalescer.add(href, raw_href, receipt, m_clock.steady(), said_gone);
  wake();
}

void WorkList::add_reconcile(std::size_t repository) {
  const std::scoped_lock lock(m_mutex);
  m_slots[repository].coalescer.add_reconcile(m_clock.steady());
  wake();
}

void WorkList::end_windows() {
  const std::scoped_lock lock(m_mutex);
  for (Slot& slot : m_slots) slot.coalescer.end_window();
  wake();
}

void WorkList::wake() {
  ++m_changes;
  m_changed.notify_all();
}

std::optional<SteadyTime> WorkList::due(const Slot& slot) const {
  if (slot.busy) return std::nullopt;
  auto when = slot.coalescer.due();
  // A failing repository polls no faster than it retries.
  if (slot.poll > Duration(0) && slot.failures == 0) when = when ? std::min(*when, slot.next_poll) : slot.next_poll;
  return when;
}

WorkList::Job WorkList::start(std::size_t number, SteadyTime now) {
  m_next = number + 1;
  Slot& slot = m_slots[number];
  slot.busy = true;
  Job job{number, slot.coalescer.take(), slot.failures};
  if (slot.poll > Duration(0) && slot.next_poll <= now) {
    job.batch.reconcile = true;
    slot.next_poll = now + slot.poll;
  }
  return job;
}

std::optional<WorkList::Job> WorkList::take(std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    const SteadyTime now = m_clock.steady();
    const auto failing = [](const Slot& slot) { return slot.busy && slot.failures > 0; };
    const auto failing_now = static_cast<std::size_t>(std::count_if(m_slots.begin(), m_slots.end(), failing));
    std::optional<SteadyTime> earliest;
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
      const std::size_t number = (m_next + i) % m_slots.size();
      const Slot& slot = m_slots[number];
      const auto when = due(slot);
      if (!when || (slot.failures > 0 && failing_now >= m_most_failing)) continue;
      if (*when <= now) return start(number, now);
      earliest = earliest ? std::min(*earliest, *when) : *when;
    }
    const Duration wait = earliest ? std::chrono::ceil<Duration>(*earliest - now) : Duration(std::chrono::hours(1));
    m_changed.wait_for(lock, stop, wait, [&, seen = m_changes] { return m_changes != seen; });
  }
  return std::nullopt;
}

void WorkList::put_back(Slot& slot, Coalescer::Batch batch, Coalescer::Patience patience, Duration at_least) {
  ++slot.failures;
  const SteadyTime now = m_clock.steady();
  // Half of the delay is certain: a failing store is not asked again at once by chance.
  const double spread = 0.5 + jitter() / 2;
  const Duration delay = std::max(at_least, retry_delay(m_backoff, slot.failures, spread));
  slot.coalescer.put_back(std::move(batch), now, now + delay, patience);
}

void WorkList::finish(const Job& job, Coalescer::Batch rest) {
  const std::scoped_lock lock(m_mutex);
  Slot& slot = m_slots[job.repository];
  slot.busy = false;
  if (rest.changes.empty() && !rest.reconcile) {
    slot.failures = 0;
  } else {
    put_back(slot, std::move(rest), Coalescer::Patience::hurry, Duration(0));
  }
  wake();
}

void WorkList::give_back(Job job, Duration at_least) {
  const std::scoped_lock lock(m_mutex);
  Slot& slot = m_slots[job.repository];
  slot.busy = false;
  put_back(slot, std::move(job.batch), Coalescer::Patience::wait, at_least);
  wake();
}

}  // namespace repoupdate
