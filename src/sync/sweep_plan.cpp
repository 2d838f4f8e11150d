// SPDX-License-Identifier: Apache-2.0
#include "sync/sweep_plan.hpp"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "model/location_href.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_metadata_prefix = "repodata/";
constexpr std::string_view k_own_prefix = "repodata/.repoupdate/";
constexpr std::string_view k_probe_prefix = "repodata/.repoupdate/probe-";

// What was put at most so long before a file is of the same publication.
constexpr Duration k_one_publication{std::chrono::minutes(1)};

// Files of one kind supersede each other, however they are compressed.
std::string_view kind_of(std::string_view key) {
  const auto hashed = parse_hashed_name(key);
  std::string_view kind = hashed ? hashed->rest : basename_of(key);
  for (const std::string_view suffix : {".gz", ".zst", ".xz", ".bz2"})
    if (kind.ends_with(suffix)) return kind.substr(0, kind.size() - suffix.size());
  return kind;
}

// The kind by whose generations this one goes: primary.sqlite comes and goes with primary.xml.
std::string leader_of(std::string_view kind) {
  const auto stem = kind.substr(0, kind.find_first_of("._-"));
  for (const auto& about : k_metadata_kinds)
    if (stem == about.name) return std::string(stem) + ".xml";
  return std::string(kind);
}

class Planner {
public:
  Planner(const SweepInput& input, const SweepPolicy& policy) : m_input(input), m_policy(policy) {}

  SweepPlan run();

private:
  SweepVerdict first_verdict(const ObjectInfo& object) const;
  SystemTime unnamed_since(const ObjectInfo& object) const;
  void keep_generations();
  void settle(SweepFile& file);
  void take_notes();

  const SweepInput& m_input;
  const SweepPolicy& m_policy;
  SweepPlan m_plan;
};

SweepVerdict Planner::first_verdict(const ObjectInfo& object) const {
  const std::string_view key = object.key;
  if (key.starts_with(k_probe_prefix)) return SweepVerdict::goes;
  if (key.starts_with(k_own_prefix)) return SweepVerdict::own;
  if (key.starts_with(k_repomd_key) || m_input.named.contain(key)) return SweepVerdict::named;
  return may_go(key, m_input.notes) ? SweepVerdict::goes : SweepVerdict::unknown;
}

// This repomd.xml does not name it, and has been there since pointer_modified; and a note holds for as long as nobody
// has put the file again.
SystemTime Planner::unnamed_since(const ObjectInfo& object) const {
  SystemTime since = m_input.times_are_of_files ? m_input.now : std::min(m_input.now, m_input.pointer_modified);
  const auto note = m_input.notes.seen.find(object.key);
  if (note != m_input.notes.seen.end() && note->second.modified == object.last_modified)
    since = std::min(since, note->second.since);
  return std::max(since, object.last_modified);
}

void Planner::keep_generations() {
  if (m_policy.generations == 0) return;
  std::map<std::string, std::vector<SystemTime>> times;  // newest first
  const auto is_candidate = [](const SweepFile& file) {
    return file.verdict == SweepVerdict::goes && !file.key.starts_with(k_own_prefix);
  };
  for (const auto& file : m_plan.files) {
    const auto kind = kind_of(file.key);
    if (is_candidate(file) && leader_of(kind) == kind) times[std::string(kind)].push_back(file.modified);
  }
  for (auto& [kind, put] : times) std::ranges::sort(put, std::ranges::greater());
  for (auto& file : m_plan.files) {
    if (!is_candidate(file)) continue;
    const auto kind = kind_of(file.key);
    const auto leader = leader_of(kind);
    const auto& put = times[leader];
    // Of those that were put in the same second nobody knows which is newer: all of them stay.
    const Duration slack = leader == kind ? Duration(0) : k_one_publication;
    if (put.size() < m_policy.generations || file.modified + slack >= put[m_policy.generations - 1])
      file.verdict = SweepVerdict::generation;
  }
}

void Planner::settle(SweepFile& file) {
  if (file.verdict != SweepVerdict::goes) return;
  const SystemTime due = std::chrono::ceil<std::chrono::seconds>(file.since + least_age(m_policy));
  if (due <= m_input.now) return;
  file.verdict = SweepVerdict::grace;
  m_plan.next = m_plan.next ? std::min(*m_plan.next, due) : due;
}

// Of a younger file there is no note: a publication that is under way may still name it as it is.
void Planner::take_notes() {
  for (const auto& file : m_plan.files) {
    const bool is_unnamed = file.verdict == SweepVerdict::goes || file.verdict == SweepVerdict::grace ||
                            file.verdict == SweepVerdict::generation;
    if (is_unnamed && m_input.now - file.modified >= k_settled_after && !file.key.starts_with(k_own_prefix))
      m_plan.notes.seen[file.key] = {file.since, file.modified};
    if (m_input.notes.known.contains(file.key)) m_plan.notes.known.insert(file.key);
    // Another tool may replace it without telling us.
    if (file.verdict == SweepVerdict::named && parse_hashed_name(file.key) && !has_our_name(file.key))
      m_plan.notes.known.insert(file.key);
  }
}

SweepPlan Planner::run() {
  for (const auto& object : m_input.objects) {
    SweepFile file{object.key, object.size, object.last_modified, first_verdict(object), {}};
    if (file.verdict == SweepVerdict::goes) file.since = unnamed_since(object);
    m_plan.files.push_back(std::move(file));
  }
  keep_generations();
  for (auto& file : m_plan.files) settle(file);
  take_notes();
  return std::move(m_plan);
}

}  // namespace

NamedFiles::NamedFiles(const Repomd& repomd, std::string text) : m_text(std::move(text)) {
  for (const auto& record : repomd.records) m_names.emplace(basename_of(record.location_href));
}

bool NamedFiles::contain(std::string_view key) const {
  const auto name = basename_of(key);
  if (m_names.contains(name)) return true;
  const auto is_of_a_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; };
  for (auto at = m_text.find(name); at != std::string::npos; at = m_text.find(name, at + 1))
    if (at == 0 || !is_of_a_name(m_text[at - 1])) return true;  // else it is the end of a longer name
  return false;
}

bool may_go(std::string_view key, const SweepNotes& notes) {
  if (key.starts_with(k_own_prefix)) return key.starts_with(k_probe_prefix);
  const bool is_below = key.substr(k_metadata_prefix.size()).find('/') != std::string_view::npos;
  return !is_below && (has_our_name(key) || notes.known.contains(key));
}

std::string_view to_string(SweepVerdict verdict) {
  switch (verdict) {
    case SweepVerdict::named: return "named";
    case SweepVerdict::own: return "own";
    case SweepVerdict::unknown: return "unknown";
    case SweepVerdict::grace: return "grace";
    case SweepVerdict::generation: return "generation";
    case SweepVerdict::goes: return "goes";
  }
  return "unknown";
}

Duration least_age(const SweepPolicy& policy) {
  return std::max(policy.grace, k_settled_after);
}

SweepPlan plan_sweep(const SweepInput& input, const SweepPolicy& policy) {
  return Planner(input, policy).run();
}

}  // namespace repoupdate
