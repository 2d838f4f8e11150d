// SPDX-License-Identifier: Apache-2.0
#include "io/settling_files.hpp"

#include <algorithm>

namespace repoupdate {

void SettlingFiles::add(const WatchedFile& file, FileStamp stamp, Duration quiet, SteadyTime now) {
  const auto [place, is_new] = m_waiting.try_emplace(file, Waiting{stamp, quiet, now});
  if (!is_new) place->second.quiet = std::min(place->second.quiet, quiet);
}

std::vector<WatchedFile> SettlingFiles::take_settled(SteadyTime now, const Look& look) {
  std::vector<WatchedFile> settled;
  for (auto next = m_waiting.begin(); next != m_waiting.end();) {
    auto& [file, waiting] = *next;
    if (now < waiting.since + waiting.quiet) {
      ++next;
      continue;
    }
    const auto stamp = look(file);
    if (stamp && *stamp != waiting.stamp) {
      waiting.stamp = *stamp;
      waiting.since = now;
      ++next;
      continue;
    }
    if (stamp) settled.push_back(file);
    next = m_waiting.erase(next);
  }
  return settled;
}

std::optional<SteadyTime> SettlingFiles::next() const {
  std::optional<SteadyTime> earliest;
  for (const auto& [file, waiting] : m_waiting)
    if (const auto end = waiting.since + waiting.quiet; !earliest || end < *earliest) earliest = end;
  return earliest;
}

}  // namespace repoupdate
