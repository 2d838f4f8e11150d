// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "repodata/repo_index.hpp"

namespace repoupdate {

struct MemoryLimits {
  std::uint64_t disk = 4ULL << 30;     // bytes of stored metadata files
  std::uint64_t memory = 64ULL << 20;  // bytes of tables
};

// What a running process knows about repositories between two updates: proven indexes, with the stored bytes that they
// describe. Known by the SHA-256 of the repomd.xml that names those, so a repository that somebody else has published
// meanwhile is simply not known. Nothing is lost without it but time. Those used least recently go first.
// Every call may be made from several threads at once.
class RepositoryMemory {
public:
  explicit RepositoryMemory(const MemoryLimits& limits) : m_limits(limits) {}

  std::optional<RepoIndex> find(std::string_view repository, std::string_view repomd_sha256);

  // In place of what was known about this repository. One that alone exceeds a limit is not kept.
  void keep(std::string repository, std::string repomd_sha256, RepoIndex index);

private:
  struct Known {
    std::string repository;
    std::string repomd_sha256;
    RepoIndex index;
    std::uint64_t disk = 0;
    std::uint64_t memory = 0;
  };
  void shrink();

  const MemoryLimits m_limits;
  std::mutex m_mutex;
  std::list<Known> m_known;  // used most recently first
};

}  // namespace repoupdate
