// SPDX-License-Identifier: Apache-2.0
// Scratch in memory, which counts what is made and can be full.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "model/scratch.hpp"

namespace repoupdate {

class MemoryScratch final : public Scratch {
public:
  // Each file takes up to `capacity` bytes.
  explicit MemoryScratch(std::uint64_t capacity = std::numeric_limits<std::uint64_t>::max()) : m_capacity(capacity) {}

  Result<std::shared_ptr<ScratchFile>> create() override {
    ++m_created;
    return std::shared_ptr<ScratchFile>(std::make_shared<File>(m_capacity));
  }
  int created() const { return m_created; }

private:
  class File final : public ScratchFile {
  public:
    explicit File(std::uint64_t capacity) : m_capacity(capacity) {}
    Result<void> append(std::string_view bytes) override {
      if (bytes.size() > m_capacity - m_bytes.size()) return Error{ErrorKind::no_space, "the scratch is full", {}};
      m_bytes += bytes;
      return {};
    }
    std::uint64_t size() const override { return m_bytes.size(); }
    Result<void> read(std::uint64_t offset, std::span<char> into) const override {
      if (auto within = check_reach(offset, into.size(), m_bytes.size()); !within) return within;
      std::copy_n(m_bytes.begin() + static_cast<std::ptrdiff_t>(offset), into.size(), into.begin());
      return {};
    }

  private:
    const std::uint64_t m_capacity;
    std::string m_bytes;
  };

  const std::uint64_t m_capacity;
  std::atomic<int> m_created = 0;
};

}  // namespace repoupdate
