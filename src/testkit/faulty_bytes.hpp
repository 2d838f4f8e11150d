// SPDX-License-Identifier: Apache-2.0
// Bytes that note how they are read, and that can stop being what they were.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "model/stored_bytes.hpp"

namespace repoupdate {

class FaultyBytes final : public StoredBytes {
public:
  explicit FaultyBytes(std::string bytes) : m_bytes(std::move(bytes)) {}

  // Reads beyond this byte fail with `precondition_failed`.
  std::atomic<std::uint64_t> broken_from = std::numeric_limits<std::uint64_t>::max();
  // Set before the first read.
  bool local = true;
  std::uint64_t piece = k_local_piece;

  int reads() const { return m_reads; }
  std::size_t largest_read() const { return m_largest; }

  std::uint64_t size() const override { return m_bytes.size(); }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override {
    ++m_reads;
    std::size_t largest = m_largest;
    while (largest < into.size() && !m_largest.compare_exchange_weak(largest, into.size())) {
    }
    if (auto within = check_reach(offset, into.size(), m_bytes.size()); !within) return within;
    if (offset + into.size() > broken_from)
      return Error{ErrorKind::precondition_failed, "the bytes are others by now", {}};
    std::copy_n(m_bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
    return {};
  }
  bool is_local() const override { return local; }
  std::uint64_t preferred_piece() const override { return piece; }

private:
  const std::string m_bytes;
  mutable std::atomic<int> m_reads = 0;
  mutable std::atomic<std::size_t> m_largest = 0;
};

}  // namespace repoupdate
