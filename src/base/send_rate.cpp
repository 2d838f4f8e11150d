// SPDX-License-Identifier: Apache-2.0
#include "base/send_rate.hpp"

#include <algorithm>

namespace repoupdate {
namespace {

using Seconds = std::chrono::duration<double>;

SteadyTime::duration gap(double rate) {
  return std::chrono::duration_cast<SteadyTime::duration>(Seconds(1 / rate));
}

}  // namespace

std::optional<double> SendRate::rate(SteadyTime now) const {
  if (!m_rate) return std::nullopt;
  const double grown = *m_rate + m_limits.growth * std::max(0.0, Seconds(now - m_cut).count());
  return grown < m_limits.open ? std::optional(grown) : std::nullopt;
}

SendRate::Place SendRate::reserve(SteadyTime now) {
  const SteadyTime at = std::max({now, m_next, m_pause_end});
  if (const auto limit = rate(at)) m_next = at + gap(*limit);
  return {at, m_line};
}

bool SendRate::leave(const Place& place, SteadyTime now) {
  if (place.line != m_line) return false;
  const auto second = std::chrono::seconds(1);
  if (now - m_second >= second) {
    m_last_second = now - m_second < 2 * second ? m_this_second : 0;
    m_this_second = 0;
    m_second = now;
  }
  ++m_this_second;
  return true;
}

void SendRate::refused(SteadyTime left, SteadyTime now, std::optional<Duration> pause) {
  const SteadyTime pause_end = now + std::min(pause.value_or(Duration(0)), m_limits.longest_pause);
  const bool is_news = !m_rate || left >= m_cut;
  if (!is_news && pause_end <= m_pause_end) return;
  if (is_news) {
    const double sent = std::min(rate(now).value_or(seen()), std::max(seen(), m_limits.least));
    m_rate = std::max(m_limits.least, sent / 2);
    m_cut = now;
  }
  m_pause_end = std::max(m_pause_end, pause_end);
  m_next = now + gap(rate(now).value_or(m_limits.open));
  ++m_line;
}

}  // namespace repoupdate
