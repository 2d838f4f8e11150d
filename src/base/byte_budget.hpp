// SPDX-License-Identifier: Apache-2.0
// A bound on what many threads hold in memory together.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace repoupdate {

// Thread-safe. Must outlive its shares.
class ByteBudget {
public:
  explicit ByteBudget(std::uint64_t bytes) : m_total(bytes), m_free(bytes) {}

  class Share {
  public:
    Share() = default;
    Share(Share&& other) noexcept
        : m_budget(std::exchange(other.m_budget, nullptr)), m_bytes(std::exchange(other.m_bytes, 0)) {}
    Share& operator=(Share&& other) noexcept {
      std::swap(m_budget, other.m_budget);
      std::swap(m_bytes, other.m_bytes);
      return *this;
    }
    ~Share() {
      if (m_budget) m_budget->give_back(m_bytes);
    }

  private:
    friend class ByteBudget;
    Share(ByteBudget& budget, std::uint64_t bytes) : m_budget(&budget), m_bytes(bytes) {}
    ByteBudget* m_budget = nullptr;
    std::uint64_t m_bytes = 0;
  };

  // Waits until so many bytes are free; more than there are at all count as all of them. Who holds a share and asks for
  // another one may wait for ever.
  Share take(std::uint64_t bytes) {
    bytes = std::min(bytes, m_total);
    std::unique_lock lock(m_mutex);
    m_returned.wait(lock, [&] { return m_free >= bytes; });
    m_free -= bytes;
    return Share(*this, bytes);
  }

private:
  void give_back(std::uint64_t bytes) {
    {
      const std::scoped_lock lock(m_mutex);
      m_free += bytes;
    }
    m_returned.notify_all();
  }

  const std::uint64_t m_total;
  std::mutex m_mutex;
  std::condition_variable m_returned;
  std::uint64_t m_free;
};

}  // namespace repoupdate
