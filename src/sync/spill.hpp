// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "model/fragments.hpp"
#include "model/scratch.hpp"

namespace repoupdate {

// Of the fragments that one look at the packages reads, bytes that stay in memory: those of some thousand packages.
inline constexpr std::uint64_t k_fragments_in_memory = 32U << 20;

// Puts the fragments beyond that aside, so that the memory does not grow with the packages that come at once: a bucket
// that is full before it becomes a repository lists them all in one publication. Thread-safe.
class Spill {
public:
  explicit Spill(Scratch& scratch, std::uint64_t in_memory = k_fragments_in_memory)
      : m_scratch(scratch), m_left(in_memory) {}

  // Where the scratch is full they stay in memory: that may be enough, and costs nobody the publication.
  void take(Fragments& fragments);

private:
  Scratch& m_scratch;
  std::mutex m_mutex;
  std::uint64_t m_left;  // to stay in memory
  std::shared_ptr<ScratchFile> m_file;
};

}  // namespace repoupdate
