// SPDX-License-Identifier: Apache-2.0
#include "sync/update.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/retry.hpp"
#include "repodata/empty_repository.hpp"
#include "repodata/splice.hpp"
#include "sync/look.hpp"
#include "sync/package_key.hpp"
#include "sync/publisher.hpp"
#include "sync/repository_state.hpp"

namespace repoupdate {
namespace {

const RetryPolicy k_race{.attempts = 0, .base = Duration(50), .ceiling = std::chrono::seconds(2)};

enum class Pass { done, superseded };

class Update {
public:
  Update(const Repository& repository, const UpdateRequest& request, Clock& clock, std::stop_token stop)
      : m_repository(repository), m_request(request), m_clock(clock), m_stop(std::move(stop)) {}

  Result<UpdateReport> run();

private:
  Result<Pass> pass();
  Result<RepositoryState> load() const;
  Result<std::set<std::string>> keys_to_look_at(const RepositoryState& state);
  Result<Publication> splice_edit(RepositoryState& state, const MetadataEdit& edit) const;
  void note_published(const Publication& publication, MetadataEdit edit);
  bool rebuilding() const { return m_request.rebuild && !m_report.published; }

  const Repository& m_repository;
  const UpdateRequest& m_request;
  Clock& m_clock;
  std::stop_token m_stop;

  UpdateReport m_report;
  Findings m_findings;                               // what earlier passes read is not read again
  std::optional<std::vector<ObjectInfo>> m_listing;  // one listing serves all passes
  std::set<std::string> m_moved;                     // changed while they were being published
};

// The stages in order. `superseded` is the only way back.
Result<Pass> Update::pass() {
  // Load. The index comes first and is pinned by its ETag: whatever is looked at after it is at least as new.
  auto state = load();
  if (!state) return std::move(state).error();

  // Read: each key as it is now. Only 404 means gone.
  const auto keys = keys_to_look_at(*state);
  if (!keys) return keys.error();
  auto findings = look_at(m_repository, *state, *keys, m_request.changes, m_findings, m_stop);
  if (!findings) return std::move(findings).error();

  // Plan: a value that prints. Nothing has been touched so far.
  Plan plan = plan_edit(state->index, std::move(*findings), m_request.changes.removals, m_repository.policy.same_nevra);
  if (rebuilding())  // starts from nothing: what cannot be read now would be lost (I14)
    for (auto& failure : plan.failures)
      if (!is_final(failure.error.kind)) return std::move(failure.error).within("rebuild not published");
  m_report.failures = std::move(plan.failures);
  m_report.notes = std::move(plan.notes);
  m_report.revision = state->index.repomd.revision;
  m_report.packages = state->index.entries.size();
  const bool nothing_to_do = plan.edit.empty() && state->pointer && !rebuilding();
  if (m_request.dry_run) m_report.edits = {std::move(plan.edit)};
  if (m_request.dry_run || nothing_to_do) return Pass::done;

  // Splice, publish. A detached signature belongs between the two: made before the pointer is written, put
  // right behind it. Superseded files stay for clients that still hold the old repomd.xml.
  auto publication = splice_edit(*state, plan.edit);
  if (publication.failed_with(ErrorKind::precondition_failed)) return Pass::superseded;
  if (!publication) return std::move(publication).error();
  auto pointer = publish(m_repository, *publication, m_stop);
  if (pointer.failed_with(ErrorKind::precondition_failed)) return Pass::superseded;
  if (!pointer) return std::move(pointer).error();

  // Confirm: what changed since it was looked at is looked at again. The caller acknowledges after that.
  note_published(*publication, std::move(plan.edit));
  return m_moved.empty() ? Pass::done : Pass::superseded;
}

Result<UpdateReport> Update::run() {
  for (int attempt = 1;; ++attempt) {
    auto outcome = pass();
    if (!outcome) return std::move(outcome).error();
    if (*outcome == Pass::done) return std::move(m_report);
    if (attempt >= m_repository.policy.attempts)
      return Error{ErrorKind::conflict,
                   m_repository.name + ": others kept publishing; gave up after " + std::to_string(attempt) +
                       " attempts, nothing of this change was lost",
                   {}};
    if (m_moved.empty()) ++m_report.lost_races;
    if (!m_clock.sleep_for(retry_delay(k_race, attempt, jitter()), m_stop))
      return Error{ErrorKind::cancelled, m_repository.name + ": stopped between two attempts", {}};
  }
}

Result<RepositoryState> Update::load() const {
  auto state = rebuilding() ? load_pointer_only(m_repository) : load_state(m_repository);
  if (state && !state->pointer && !m_repository.policy.create && !m_request.rebuild) return no_repository(m_repository);
  return state;
}

Result<std::set<std::string>> Update::keys_to_look_at(const RepositoryState& state) {
  std::set<std::string> keys = m_moved;
  for (const auto& [href, key] : m_request.changes.keys) keys.insert(href);
  if (!m_request.reconcile && !m_request.rebuild) return keys;
  if (!m_listing) {
    auto listing = list_packages(m_repository);
    if (!listing) return std::move(listing).error();
    m_listing = std::move(*listing);
  }
  keys.merge(find_differences(m_repository, *m_listing, state, m_request.suspicion));
  return keys;
}

Result<Publication> Update::splice_edit(RepositoryState& state, const MetadataEdit& edit) const {
  const SpliceOptions options{.now = m_clock.now(), .compression = m_repository.policy.compression};
  Result<Publication> publication = Publication{};
  if (!state.pointer || rebuilding()) {
    const StoredRepository empty = empty_repository(state.index.repomd);
    publication = splice(empty.index, empty.stored, edit, options);
  } else {
    if (auto loaded = load_files(m_repository, state); !loaded) return std::move(loaded).error();
    publication = splice(state.index, state.stored, edit, options);
  }
  if (!publication) return std::move(publication.error()).within(m_repository.name);
  publication->base = state.pointer;
  return publication;
}

void Update::note_published(const Publication& publication, MetadataEdit edit) {
  std::vector<std::string> edited;
  for (const auto& erase : edit.erases) edited.emplace_back(key_of_href(erase.location_href));
  for (auto& record : edit.inserts) {
    edited.push_back(record.location_href);
    record.fragments = {};  // the report is for people; the bytes are published
  }
  m_moved = changed_since(m_repository, edited, m_findings);
  m_report.published = true;
  m_report.packages = publication.packages;
  m_report.revision = publication.revision;
  m_report.dropped_records.insert(m_report.dropped_records.end(), publication.dropped_records.begin(),
                                  publication.dropped_records.end());
  m_report.edits.push_back(std::move(edit));
}

}  // namespace

std::size_t UpdateReport::replaced() const {
  std::size_t count = 0;
  for (const auto& edit : edits) {
    std::set<std::string_view> erased;
    for (const auto& erase : edit.erases) erased.insert(erase.location_href);
    for (const auto& record : edit.inserts) count += erased.contains(record.location_href);
  }
  return count;
}

std::size_t UpdateReport::added() const {
  std::size_t inserts = 0;
  for (const auto& edit : edits) inserts += edit.inserts.size();
  return inserts - replaced();
}

std::size_t UpdateReport::removed() const {
  std::size_t erases = 0;
  for (const auto& edit : edits) erases += edit.erases.size();
  return erases - replaced();
}

Result<UpdateReport> update(const Repository& repository, const UpdateRequest& request, Clock& clock,
                            std::stop_token stop) {
  return Update(repository, request, clock, std::move(stop)).run();
}

Result<UpdateReport> create_repository(const Repository& repository, Clock& clock) {
  const StoredRepository empty = empty_repository();
  const SpliceOptions options{.now = clock.now(), .compression = repository.policy.compression};
  auto publication = splice(empty.index, empty.stored, {}, options);
  if (!publication) return std::move(publication.error()).within(repository.name);
  auto pointer = publish(repository, *publication, {});
  if (pointer.failed_with(ErrorKind::precondition_failed))
    return Error{
        ErrorKind::precondition_failed, repository.name + ": there is a repository already; it was not touched", {}};
  if (!pointer) return std::move(pointer).error();
  UpdateReport report;
  report.published = true;
  report.revision = publication->revision;
  return report;
}

}  // namespace repoupdate
