// SPDX-License-Identifier: Apache-2.0
// How many receivers a source is worth: one long poll while it is idle, more with each full receive while it has a
// backlog. Pure; not thread-safe.
#pragma once

#include <algorithm>
#include <cstddef>

namespace repoupdate {

class ReceiverCount {
public:
  static constexpr std::size_t k_full = 10;  // messages: all that SQS gives at once, so more are waiting

  explicit ReceiverCount(std::size_t most) : m_most(std::max<std::size_t>(most, 1)) {}

  std::size_t wanted() const { return m_wanted; }

  void received(std::size_t messages) {
    if (messages >= k_full) m_wanted = std::min(m_wanted + 1, m_most);
    if (messages == 0) m_wanted = std::max<std::size_t>(m_wanted - 1, 1);
  }
  // One is enough to find out when the source is well again.
  void failed() { m_wanted = 1; }

private:
  std::size_t m_most;
  std::size_t m_wanted = 1;
};

}  // namespace repoupdate
