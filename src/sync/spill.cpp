// SPDX-License-Identifier: Apache-2.0
#include "sync/spill.hpp"

namespace repoupdate {

void Spill::take(Fragments& fragments) {
  const std::uint64_t size = fragments.size_in_memory();
  const std::scoped_lock lock(m_mutex);
  if (size <= m_left) {
    m_left -= size;
    return;
  }
  if (!m_file) {
    auto file = m_scratch.create();
    if (!file) return;
    m_file = *std::move(file);
  }
  static_cast<void>(fragments.put_aside(m_file));
}

}  // namespace repoupdate
