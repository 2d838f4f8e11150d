// SPDX-License-Identifier: Apache-2.0
#include "sync/repository_memory.hpp"

#include <algorithm>
#include <utility>

namespace repoupdate {
namespace {

std::uint64_t tables_of(const RepoIndex& index) {
  std::uint64_t size = index.nevras->size() * sizeof(NevraHashes::value_type);
  for (const SegmentedFile& file : index.files.values)
    for (const Frame& frame : file.table.frames) size += sizeof(Frame) + frame.segments.size() * sizeof(Segment);
  return size;
}

std::uint64_t frames_of(const RepoIndex& index) {
  std::uint64_t size = 0;
  for (const SegmentedFile& file : index.files.values)
    for (const auto& frame : file.kept)
      if (frame) size += frame->stored.size() + frame->open.size();
  return size;
}

std::uint64_t disk_of(const RepoIndex& index) {
  std::uint64_t size = 0;
  for (const SegmentedFile& file : index.files.values) size += file.stored->size();
  return size;
}

}  // namespace

std::optional<QuarantineSight> RepositoryMemory::quarantine(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  const auto known = m_quarantines.find(repository);
  return known == m_quarantines.end() ? std::nullopt : std::optional(known->second);
}

void RepositoryMemory::keep_quarantine(std::string_view repository, const QuarantineSight& sight) {
  const std::scoped_lock lock(m_mutex);
  m_quarantines.insert_or_assign(std::string(repository), sight);
}

void RepositoryMemory::forget_quarantine(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  if (const auto known = m_quarantines.find(repository); known != m_quarantines.end()) m_quarantines.erase(known);
}

KnownObjects RepositoryMemory::known_objects(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  const auto known = m_known_objects.find(repository);
  return known == m_known_objects.end() ? KnownObjects() : known->second;
}

void RepositoryMemory::keep_known_objects(std::string_view repository, KnownObjects known) {
  const std::scoped_lock lock(m_mutex);
  m_known_objects.insert_or_assign(std::string(repository), std::move(known));
}

bool RepositoryMemory::may_have_overwritten(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  return m_overwriting.contains(repository);
}

void RepositoryMemory::note_overwriting(const std::string& repository, bool may_have_overwritten) {
  const std::scoped_lock lock(m_mutex);
  if (may_have_overwritten)
    m_overwriting.insert(repository);
  else
    m_overwriting.erase(repository);
}

std::optional<RememberedIndex> RepositoryMemory::find(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  const auto known = std::ranges::find(m_known, repository, &Known::repository);
  if (known == m_known.end()) return std::nullopt;
  m_known.splice(m_known.begin(), m_known, known);
  return known->remembered;
}

void RepositoryMemory::keep(std::string repository, RememberedIndex remembered) {
  Known fresh{std::move(repository), std::move(remembered), 0, 0, 0};
  const RepoIndex& index = fresh.remembered.index;
  fresh.disk = disk_of(index), fresh.tables = tables_of(index), fresh.frames = frames_of(index);
  forget(fresh.repository);
  if (fresh.disk > m_limits.disk || fresh.tables > m_limits.memory) return;  // it would only drive out the others
  if (fresh.frames > room_for_frames()) drop_frames(fresh);
  const std::scoped_lock lock(m_mutex);
  m_known.push_front(std::move(fresh));
  shrink();
}

void RepositoryMemory::forget(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  std::erase_if(m_known, [&](const Known& known) { return known.repository == repository; });
}

std::optional<RememberedPair> RepositoryMemory::find_pair(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  const auto known = m_pairs.find(repository);
  if (known == m_pairs.end()) return std::nullopt;
  return known->second;
}

void RepositoryMemory::keep_pair(std::string repository, RememberedPair pair) {
  const std::scoped_lock lock(m_mutex);
  m_pairs.insert_or_assign(std::move(repository), std::move(pair));
}

void RepositoryMemory::forget_pair(std::string_view repository) {
  const std::scoped_lock lock(m_mutex);
  if (const auto known = m_pairs.find(repository); known != m_pairs.end()) m_pairs.erase(known);
}

void RepositoryMemory::drop_frames(Known& known) {
  known.frames = 0;
  for (SegmentedFile& file : known.remembered.index.files.values) file.kept = {};
}

void RepositoryMemory::shrink() {
  std::uint64_t disk = 0, memory = 0;
  for (const Known& known : m_known) disk += known.disk, memory += known.tables + known.frames;
  for (auto known = m_known.rbegin(); known != m_known.rend() && memory > m_limits.memory; ++known) {
    memory -= known->frames;
    drop_frames(*known);
  }
  const auto is_too_much = [&] {
    return disk > m_limits.disk || memory > m_limits.memory || m_known.size() > m_limits.repositories;
  };
  while (!m_known.empty() && is_too_much()) {
    disk -= m_known.back().disk;
    memory -= m_known.back().tables + m_known.back().frames;
    m_known.pop_back();
  }
}

void RepositoryMemory::note_turnover(const std::string& repository, Turnover turnover, SteadyTime now) {
  const std::scoped_lock lock(m_mutex);
  auto& known = m_turnovers[repository];
  if (turnover.dropped == 0 && known.empty()) return;  // what is gained makes up for what went before
  known.push_back({now, turnover});
}

std::size_t RepositoryMemory::dropped_within(const std::string& repository, Duration window, SteadyTime now) {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_turnovers.find(repository);
  if (found == m_turnovers.end()) return 0;
  auto& known = found->second;
  while (!known.empty() && now - known.front().when > window) known.pop_front();
  std::size_t lost = 0;
  for (const Turned& each : known) lost = still_lost(lost, each.turnover);
  return lost;
}

}  // namespace repoupdate
