// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "model/object.hpp"
#include "repodata/repo_index.hpp"
#include "sync/known_objects.hpp"
#include "sync/quarantine_record.hpp"
#include "sync/shrink_guard.hpp"

namespace repoupdate {

struct MemoryLimits {
  std::uint64_t disk = 4ULL << 30;      // bytes of stored metadata files
  std::uint64_t memory = 64ULL << 20;   // bytes of tables, and of the frames of small repositories
  std::size_t repositories = SIZE_MAX;  // each keeps three files open
};

// What was known of a repository when it was last looked at or published.
struct RememberedIndex {
  ETag pointer;               // of the repomd.xml that names the files
  std::string repomd_sha256;  // of its bytes
  RepoIndex index;            // proven, with the stored bytes that it describes
};

// The repomd.xml and the signature that were last seen in agreement: one that fits, or none where none is wanted.
struct RememberedPair {
  ETag pointer;
  std::optional<ETag> signature;
};

// What a running process knows about repositories between two updates. It holds for the repomd.xml that it was made
// from and for no other: whoever asks compares. Nothing is lost without it but time, and what
// may_have_overwritten() says. Those used least recently go first, their frames before their tables.
// Every call may be made from several threads at once.
class RepositoryMemory {
public:
  explicit RepositoryMemory(const MemoryLimits& limits) : m_limits(limits) {}

  std::optional<RememberedIndex> find(std::string_view repository);

  // In place of what was known about this repository. One that alone exceeds a limit is not kept.
  void keep(std::string repository, RememberedIndex remembered);
  void forget(std::string_view repository);

  // The same for its signature.
  std::optional<RememberedPair> find_pair(std::string_view repository);
  void keep_pair(std::string repository, RememberedPair pair);
  void forget_pair(std::string_view repository);

  // The quarantine as it was last read or written; nothing when it was not. Small, and not counted among the limits.
  std::optional<QuarantineSight> quarantine(std::string_view repository);
  void keep_quarantine(std::string_view repository, const QuarantineSight& sight);
  void forget_quarantine(std::string_view repository);

  // Objects that a comparison with the listing found to be what is listed. Few, small, and not of the limits.
  KnownObjects known_objects(std::string_view repository);
  void keep_known_objects(std::string_view repository, KnownObjects known);

  // That a publication may have come over somebody else's, and no comparison with the listing has been made for it yet.
  bool may_have_overwritten(std::string_view repository);
  void note_overwriting(const std::string& repository, bool may_have_overwritten);

  // What publications took away, for the shrink guard: how much of that no later one has made up for. Small, and not of
  // the limits.
  void note_turnover(const std::string& repository, Turnover turnover, SteadyTime now);
  std::size_t dropped_within(const std::string& repository, Duration window, SteadyTime now);

  // What the frames of one repository may take, stored and open: a small part of the limit, so that several have room.
  std::uint64_t room_for_frames() const { return m_limits.memory / 4; }

private:
  struct Known {
    std::string repository;
    RememberedIndex remembered;
    std::uint64_t disk = 0;
    std::uint64_t tables = 0;
    std::uint64_t frames = 0;
  };
  static void drop_frames(Known& known);
  void shrink();

  const MemoryLimits m_limits;
  std::mutex m_mutex;
  std::list<Known> m_known;  // used most recently first
  std::map<std::string, RememberedPair, std::less<>> m_pairs;
  std::map<std::string, QuarantineSight, std::less<>> m_quarantines;
  std::map<std::string, KnownObjects, std::less<>> m_known_objects;
  std::set<std::string, std::less<>> m_overwriting;
  struct Turned {
    SteadyTime when;
    Turnover turnover;
  };
  std::map<std::string, std::deque<Turned>> m_turnovers;  // by repository, oldest first
};

}  // namespace repoupdate
