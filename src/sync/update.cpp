// SPDX-License-Identifier: Apache-2.0
#include "sync/update.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/parallel.hpp"
#include "base/retry.hpp"
#include "model/location_href.hpp"
#include "repodata/empty_repository.hpp"
#include "repodata/splice.hpp"
#include "rpm/package_reader.hpp"
#include "sync/look.hpp"
#include "sync/object_hash.hpp"
#include "sync/package_key.hpp"
#include "sync/publisher.hpp"
#include "sync/repository_state.hpp"
#include "sync/signature.hpp"

namespace repoupdate {
namespace {

// Measured with eight writers: a shorter ceiling wastes work on races that are lost again, a longer one lets those
// wait who have lost most.
const RetryPolicy k_race{.attempts = 0, .base = Duration(50), .ceiling = Duration(800)};

constexpr int k_max_creations = 3;

enum class Pass {
  done,
  superseded,  // by somebody else: plan again
  look_again,  // published, and not everything that it touched is known to be as it was published
  compare,     // not published yet: a comparison with the listing has to come first
};

std::vector<std::string> edited_keys(const MetadataEdit& edit) {
  std::vector<std::string> keys;
  for (const auto& erase : edit.erases) keys.emplace_back(key_of_href(erase.location_href));
  for (const auto& record : edit.inserts) keys.push_back(record.location_href);
  return keys;
}

class Update {
public:
  Update(const Repository& repository, const UpdateRequest& request, Clock& clock, std::stop_token stop)
      : m_repository(repository),
        m_request(request),
        m_clock(clock),
        m_stop(std::move(stop)),
        m_turn(repository, clock),
        m_quarantine(repository, m_turn, clock),
        m_stages(clock, request.on_stage),
        m_may_have_overwritten(repository.memory && repository.memory->may_have_overwritten(repository.name)) {}

  Result<UpdateReport> run();

private:
  Result<void> make_passes();
  UpdateReport finish();
  Result<Pass> pass();
  Result<Pass> leave_as_it_is(const RepositoryState& state);
  // The state, and what the named keys were while it was loaded.
  struct Ahead {
    Result<RepositoryState> state;
    Findings findings;
    std::optional<ListedEntries> listed;  // what was remembered of them
  };
  Ahead look_beside(bool is_first) const;
  Result<RepositoryState> load(Loading loading) const;
  Result<void> list_objects(const std::optional<ETag>& pointer, SystemTime pointer_modified);
  Result<std::set<std::string>> keys_to_look_at(RepositoryState& state);
  KnownObjects known_objects() const;
  void note_known(const ListedEntries& listed, const std::vector<Finding>& findings) const;
  std::set<std::string> gone_by_listing(const std::set<std::string>& keys) const;
  Result<ListedEntries> listed_of(RepositoryState& state, const std::set<std::string>& keys) const;
  Result<ListedEntries> with_same_nevra(const RepositoryState& state, const ListedEntries& by_name,
                                        const std::vector<Finding>& findings) const;
  void note_state(const RepositoryState& state);
  void note_unknown(const ListedEntries& listed, const std::vector<Finding>& findings);
  void note_failures(const ListedEntries& listed, const std::vector<Finding>& findings);
  Result<void> check_shrinking(const RepositoryState& state, const MetadataEdit& edit);
  Result<Spliced> splice_edit(const RepositoryState& state, const MetadataEdit& edit) const;
  bool note_overrun();
  void note_published(const Publication& publication, MetadataEdit edit, const std::vector<std::string>& edited);
  PlanPolicy plan_policy() const { return {m_repository.policy.same_nevra, m_repository.policy.ingest.immutable}; }
  bool rebuilding() const { return m_request.rebuild && !m_report.published; }
  bool compares() const {
    return m_request.reconcile || m_request.rebuild || m_another_may_come || m_may_have_overwritten;
  }
  Suspicion suspicion() const { return m_may_have_overwritten ? Suspicion::reread : m_request.suspicion; }

  const Repository& m_repository;
  const UpdateRequest& m_request;
  Clock& m_clock;
  std::stop_token m_stop;
  WriteTurn m_turn;
  QuarantineStage m_quarantine;
  StageWatch m_stages;

  int m_attempt = 1;
  UpdateReport m_report;
  Findings m_findings;  // what earlier passes read is not read again
  // One listing serves all passes, and with it the age of the repomd.xml that it was to be compared with first: what
  // came after that is looked at, whoever publishes meanwhile.
  std::optional<PackageObjects> m_listing;
  SystemTime m_pointer_modified{};
  // Somebody else's publication. Only a comparison with a fresh listing finds what that had said, and by all that
  // differs: a package that it replaced may be older than the repomd.xml on which ours was planned.
  bool m_may_have_overwritten;
  bool m_another_may_come = false;  // in place of one that goes (may_let_another_in)
  Turnover m_turnover;              // of this pass
  std::size_t m_lost = 0;           // packages, in earlier passes, by the shrink guard's count
  std::set<std::string> m_moved;    // hrefs that changed while they were being published, or may have
};

// The stages in order. `superseded` and `look_again` are the only ways back.
Result<Pass> Update::pass() {
  // Load. The index is pinned by its ETag. What is looked at must be at least as new; beside the load the keys are looked
  // at already, and what cannot be sure to be as new is looked at again.
  m_stages.enter(Stage::load);
  Ahead ahead = look_beside(m_attempt == 1);
  auto state = std::move(ahead.state);
  if (!state) return std::move(state).error();

  // Read: each key as it is now. Only 404 means gone.
  m_stages.enter(Stage::look);
  const auto keys = keys_to_look_at(*state);
  if (keys.failed_with(ErrorKind::precondition_failed)) return Pass::superseded;
  if (!keys) return keys.error();
  const bool known = state->proven();
  auto listed = state->is_as_remembered && ahead.listed ? *std::move(ahead.listed) : listed_of(*state, *keys);
  if (listed.failed_with(ErrorKind::precondition_failed)) return Pass::superseded;
  if (!listed) return std::move(listed).error();
  Findings fresh = state->is_as_remembered ? std::move(ahead.findings) : still_good(std::move(ahead.findings), *listed);
  auto findings = look_at(m_repository, *listed, *keys, m_request.changes, gone_by_listing(*keys), m_findings,
                          std::move(fresh), m_stop);
  if (!findings) return std::move(findings).error();

  note_known(*listed, *findings);

  // Settled: the metadata say already what was found. Nothing has been read whole so far.
  note_state(*state);
  if (!m_report.published) note_unknown(*listed, *findings);  // afterwards a removed one is neither
  const bool nothing_to_do = state->pointer && !rebuilding();
  if (nothing_to_do && is_settled(*listed, *findings, m_request.changes.removals, plan_policy())) {
    note_failures(*listed, *findings);
    return leave_as_it_is(*state);
  }

  // Prove: what is built upon is read and compared. Plan: a value that prints. Nothing has been touched so far.
  m_stages.enter(Stage::prove);
  if (auto proven = prove_state(m_repository, *state); !proven) {
    if (proven.failed_with(ErrorKind::precondition_failed)) return Pass::superseded;
    return std::move(proven).error();
  }
  m_stages.enter(Stage::plan);
  if (!known) listed = listed_of(*state, *keys);
  if (listed) listed = with_same_nevra(*state, *std::move(listed), *findings);
  if (!listed) return std::move(listed).error();
  Plan plan = plan_edit(*listed, std::move(*findings), m_request.changes.removals, plan_policy());
  if (!compares() && may_let_another_in(plan.edit, plan_policy())) return Pass::compare;
  if (rebuilding())  // starts from nothing: what cannot be read now would be lost (I14)
    for (auto& failure : plan.failures)
      if (!is_final(failure.error.kind)) return std::move(failure.error).within("rebuild not published");
  note_state(*state);
  m_report.failures = std::move(plan.failures);
  m_report.notes = std::move(plan.notes);
  const auto shrinking = check_shrinking(*state, plan.edit);
  if (!shrinking && !(m_request.dry_run && shrinking.failed_with(ErrorKind::unconfirmed))) return shrinking.error();
  if (!shrinking) m_report.notes.push_back(shrinking.error().message);
  if (m_request.dry_run) m_report.edits = {std::move(plan.edit)};
  if (m_request.dry_run) return Pass::done;
  if (nothing_to_do && plan.edit.empty()) return leave_as_it_is(*state);

  // Splice, publish. Superseded files stay for clients that still hold the old repomd.xml.
  m_stages.enter(Stage::splice);
  auto spliced = splice_edit(*state, plan.edit);
  if (!spliced) return std::move(spliced).error();
  auto published = publish(m_repository, spliced->publication, m_turn, m_report.repaired, m_stop, &m_stages);
  const bool was_overrun = note_overrun();
  const std::vector<std::string> edited = edited_keys(plan.edit);
  if (published.failed_with(ErrorKind::precondition_failed)) {
    // An answer may have been lost, and ours have been visible before the other one's, which then is built on it.
    std::ranges::copy_if(edited, std::inserter(m_moved, m_moved.end()),
                         [this](const auto& href) { return m_findings.contains(href); });
    return Pass::superseded;
  }
  if (!published) return std::move(published).error();

  // Confirm: what changed since it was looked at is looked at again. The caller acknowledges after that.
  m_stages.enter(Stage::confirm);
  m_report.request_id = std::move(published->request_id);
  note_published(spliced->publication, std::move(plan.edit), edited);
  remember(m_repository, spliced->publication, std::move(published->pointer), std::move(spliced->index));
  return m_moved.empty() && !was_overrun ? Pass::done : Pass::look_again;
}

Result<UpdateReport> Update::run() {
  auto outcome = make_passes();
  if (outcome) return finish();
  if (!m_may_have_overwritten) return std::move(outcome).error();
  return std::move(outcome.error())
      .within(m_repository.name +
              ": what another writer published may have been overwritten, and is listed "
              "again by `repoupdate update --reread`");
}

Result<void> Update::make_passes() {
  for (;; ++m_attempt) {
    auto outcome = pass();
    m_stages.end();
    m_report.stages = m_stages.times();
    if (!outcome) {
      // If it is what is remembered that does not hold, the next try is to start without it.
      const bool may_be_memory = outcome.failed_with(ErrorKind::corrupt) || outcome.failed_with(ErrorKind::io);
      if (m_repository.memory && may_be_memory) m_repository.memory->forget(m_repository.name);
      return std::move(outcome).error();
    }
    if (*outcome == Pass::done) return {};
    if (*outcome == Pass::compare) {  // in one publication with what goes: nobody would come back to it
      m_another_may_come = true;
      continue;
    }
    if (m_attempt >= m_repository.policy.attempts)
      return Error{ErrorKind::conflict,
                   m_repository.name + ": others kept publishing; gave up after " + std::to_string(m_attempt) +
                       " attempts, nothing of this change was lost",
                   {}};
    if (*outcome == Pass::superseded) ++m_report.lost_races;
    if (!m_clock.sleep_for(retry_delay(k_race, m_attempt, jitter()), m_stop))
      return Error{ErrorKind::cancelled, m_repository.name + ": stopped between two attempts", {}};
  }
}

// Nothing is to be published; only the signature may be missing, or be another one's.
Result<Pass> Update::leave_as_it_is(const RepositoryState& state) {
  if (m_request.dry_run) return Pass::done;
  auto repaired = repair_signature(m_repository, *state.pointer, m_stop);
  if (!repaired) return std::move(repaired).error();
  m_report.signed_anew = *repaired;
  return Pass::done;
}

// It outlives this update: what was overwritten has to be found, whatever becomes of this one.
bool Update::note_overrun() {
  if (!m_turn.was_overrun()) return false;
  m_may_have_overwritten = true;
  m_listing.reset();
  if (m_repository.memory) m_repository.memory->note_overwriting(m_repository.name, true);
  return true;
}

// What failed is written down after its neighbours are published, and before the caller acknowledges anything.
UpdateReport Update::finish() {
  // What could not be looked at is among the failures, for the caller to come back to.
  if (m_may_have_overwritten && m_repository.memory && !m_request.dry_run)
    m_repository.memory->note_overwriting(m_repository.name, false);
  const PackageObjects* listing = m_listing ? &*m_listing : nullptr;
  m_report.quarantine = m_request.dry_run ? m_quarantine.report()
                                          : m_quarantine.settle(m_report.failures, m_findings, listing,
                                                                m_request.quarantine_passing, m_stop);
  return std::move(m_report);
}

// The first request for repomd.xml and those for the packages need not wait for each other. Nothing is looked at ahead
// where it costs nothing to do so later, or where a listing tells what to look at.
Update::Ahead Update::look_beside(bool is_first) const {
  const bool by_listing = compares();
  Loading loading{.remembered = remembered_state(m_repository), .is_poll = by_listing};
  loading.will_edit = !by_listing && !m_request.changes.empty();
  std::set<std::string> keys;
  Ahead ahead{RepositoryState{}, {}, {}};
  if (is_first && !by_listing && !m_repository.store->is_local()) {
    for (const auto& [href, key] : m_request.changes.keys) keys.insert(href);
    if (loading.remembered)
      if (auto known = listed_of(*loading.remembered, keys)) ahead.listed = *std::move(known);
  }
  const ListedEntries listed = ahead.listed.value_or(ListedEntries({}));
  for_each_parallel(keys.empty() ? 1 : 2, 2, [&](std::size_t task) {
    if (task == 0)
      ahead.state = load(std::move(loading));
    else
      ahead.findings = look_ahead(m_repository, listed, keys, m_stop);
  });
  return ahead;
}

Result<RepositoryState> Update::load(Loading loading) const {
  auto state = rebuilding() ? load_pointer_only(m_repository) : load_state(m_repository, std::move(loading));
  if (state && !state->pointer && !m_repository.policy.create && !m_request.rebuild) return no_repository(m_repository);
  return state;
}

Result<void> Update::list_objects(const std::optional<ETag>& pointer, SystemTime pointer_modified) {
  auto listing = list_package_objects(m_repository);
  if (!listing) return std::move(listing).error();
  note_listed_signature(m_repository, pointer, listing->signature);
  m_listing = *std::move(listing);
  m_pointer_modified = pointer_modified;
  return {};
}

Result<std::set<std::string>> Update::keys_to_look_at(RepositoryState& state) {
  std::set<std::string> keys = m_moved;
  for (const auto& [href, key] : m_request.changes.keys) keys.insert(href);
  if (!compares()) return keys;
  // The pages of the listing are fetched while the metadata are read. A rebuild starts from nothing: it has to see
  // everything that the repomd.xml which it replaces may list.
  const bool is_listing_due = !m_listing || rebuilding();
  Result<std::vector<ListedPackage>> listed = std::vector<ListedPackage>();
  Result<void> objects;
  for_each_parallel(is_listing_due ? 3 : 1, 2,
                    [&, pointer = state.pointer, modified = state.pointer_modified](std::size_t task) {
                      if (task == 0) listed = list_all(m_repository, state);
                      if (task == 1) objects = list_objects(pointer, modified);
                      if (task == 2) prepare_package_reader();  // mostly something has to be read
                    });
  if (!objects) return std::move(objects).error();
  if (!listed) return std::move(listed).error();
  if (is_listing_due) m_quarantine.look(*m_listing);
  const SystemTime since = m_report.published ? state.pointer_modified : m_pointer_modified;
  auto different = find_differences(m_repository, m_listing->packages, ListedEntries(*std::move(listed)), since,
                                    suspicion(), known_objects());
  const bool looks_at_all = m_request.rebuild || suspicion() == Suspicion::reread;
  if (!looks_at_all) m_quarantine.hold_back(*m_listing, different);
  for (const auto& href : m_request.changes.removals) different.erase(std::string(key_of_href(href)));
  keys.merge(std::move(different));
  return keys;
}

KnownObjects Update::known_objects() const {
  return m_repository.memory ? m_repository.memory->known_objects(m_repository.name) : KnownObjects();
}

void Update::note_known(const ListedEntries& listed, const std::vector<Finding>& findings) const {
  if (m_repository.memory && compares() && !m_repository.times_are_of_files)
    m_repository.memory->keep_known_objects(m_repository.name,
                                            known_after(known_objects(), m_listing->packages, listed, findings));
}

// Those of `keys` that the listing does not have; none without one. It is too old for those that changed after it.
std::set<std::string> Update::gone_by_listing(const std::set<std::string>& keys) const {
  std::set<std::string> gone;
  if (!m_listing) return gone;
  std::set<std::string_view> there;
  for (const auto& object : m_listing->packages) there.insert(object.key);
  std::ranges::copy_if(keys, std::inserter(gone, gone.end()),
                       [&](const auto& key) { return !there.contains(key) && !m_moved.contains(key); });
  return gone;
}

// What the metadata say of the packages that may be meant.
Result<ListedEntries> Update::listed_of(RepositoryState& state, const std::set<std::string>& keys) const {
  NamesToFind names;
  for (const auto& href : keys) names.expected.emplace(basename_of(href));
  for (const auto& href : m_request.changes.removals) names.expected.emplace(basename_of(href));
  for (const auto& [href, key] : m_request.changes.keys) names.possible.emplace(basename_of(key.raw_href));
  auto packages = find_listed(m_repository, state, names);
  if (!packages) return std::move(packages).error();
  return ListedEntries(*std::move(packages));
}

// And of those that have the NEVRA of a package that was found.
Result<ListedEntries> Update::with_same_nevra(const RepositoryState& state, const ListedEntries& by_name,
                                              const std::vector<Finding>& findings) const {
  if (state.packages() == 0) return by_name;
  std::set<Nevra> nevras;
  for (const auto& finding : findings)
    if (const auto* record = std::get_if<PackageRecord>(&finding.what)) nevras.insert(record->nevra);
  auto by_nevra = find_packages(*state.index, nevras, m_repository.policy.threads);
  if (!by_nevra) return std::move(by_nevra).error();
  std::map<std::size_t, ListedPackage> packages;
  for (const auto& package : by_name.packages()) packages.emplace(package.position, package);
  for (auto& package : *by_nevra) packages.emplace(package.position, std::move(package));
  std::vector<ListedPackage> all;
  for (auto& [position, package] : packages) all.push_back(std::move(package));
  return ListedEntries(std::move(all));
}

void Update::note_state(const RepositoryState& state) {
  m_report.revision = state.repomd.revision;
  m_report.packages = state.packages();
}

void Update::note_unknown(const ListedEntries& listed, const std::vector<Finding>& findings) {
  m_report.unknown.clear();
  for (const auto& finding : findings)
    if (std::holds_alternative<Gone>(finding.what) && m_request.changes.keys.contains(finding.href) &&
        !listed.find(finding.href))
      m_report.unknown.push_back(finding.href);
}

void Update::note_failures(const ListedEntries& listed, const std::vector<Finding>& findings) {
  m_report.failures.clear();
  for (const auto& finding : findings)
    if (const auto* error = std::get_if<Error>(&finding.what))
      m_report.failures.push_back({finding.href, *error, listed.find(finding.href) != nullptr});
}

// A rebuild is held against what the old primary lists, where that can still be read: it is said by whoever sees damaged
// metadata, and not by somebody who knows that the packages are gone.
Result<void> Update::check_shrinking(const RepositoryState& state, const MetadataEdit& edit) {
  if (m_request.allow_shrink || !state.pointer) return {};
  std::size_t before = state.packages();
  std::size_t dropped = count_dropped(edit, m_request.changes.removals);
  if (rebuilding()) {
    auto old = load_state(m_repository);
    const auto listed = old ? list_all(m_repository, *old) : Result<std::vector<ListedPackage>>(old.error());
    if (!listed) return is_final(listed.error().kind) ? Result<void>() : Result<void>(listed.error());
    MetadataEdit rebuilt{{}, edit.inserts};
    for (const auto& [position, entry] : *listed)
      rebuilt.erases.push_back({position, entry.location_href, entry.pkgid, entry.nevra});
    before = listed->size();
    dropped = count_dropped(rebuilt, {});
  }
  RepositoryMemory* memory = m_repository.memory;
  const std::size_t earlier =
      memory ? memory->dropped_within(m_repository.name, k_shrink_window, m_clock.steady()) : m_lost;
  const Turnover turnover = turnover_of(edit, dropped);
  // What comes in makes up for what went before, and not for what goes with it: that may be another bucket's content.
  const std::size_t lost = std::max(dropped, still_lost(earlier, turnover));
  if (dropped > 0 && shrinks_too_much(m_repository.policy.shrink, lost, before + earlier))
    return too_much_would_go(m_repository.name, m_repository.policy.shrink, lost, before + earlier, rebuilding());
  m_turnover = turnover;
  return {};
}

Result<Spliced> Update::splice_edit(const RepositoryState& state, const MetadataEdit& edit) const {
  const SpliceOptions options{.now = m_clock.now(),
                              .open_checksum = m_repository.policy.open_checksum,
                              .threads = m_repository.policy.threads,
                              .keep_up_to = m_repository.memory ? m_repository.memory->room_for_frames() : 0};
  auto spliced = splice(*state.index, edit, options);
  if (!spliced) return std::move(spliced.error()).within(m_repository.name);
  spliced->publication.base = state.pointer;
  return spliced;
}

void Update::note_published(const Publication& publication, MetadataEdit edit, const std::vector<std::string>& edited) {
  for (auto& record : edit.inserts) record.fragments = {};  // the report is for people; the bytes are published
  m_moved = changed_since(m_repository, edited, m_findings);
  if (m_repository.memory) m_repository.memory->note_turnover(m_repository.name, m_turnover, m_clock.steady());
  m_lost = still_lost(m_lost, std::exchange(m_turnover, {}));
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
  const Error exists{
      ErrorKind::precondition_failed, repository.name + ": there is a repository already; it was not touched", {}};
  const std::string key = repository.prefix + std::string(k_repomd_key);
  auto there = repository.store->head(key);
  if (there) return exists;
  if (!there.failed_with(ErrorKind::not_found)) return there.error();
  const SpliceOptions options{.now = clock.now(), .open_checksum = repository.policy.open_checksum};
  auto spliced = splice(empty_repository({}, repository.policy.compression), {}, options);
  if (!spliced) return std::move(spliced.error()).within(repository.name);
  WriteTurn turn(repository, clock);
  UpdateReport report;
  for (int attempt = 1;; ++attempt) {
    const auto pointer = publish(repository, spliced->publication, turn, report.repaired, {});
    if (turn.was_overrun())
      return Error{ErrorKind::conflict,
                   repository.name +
                       ": made, but somebody else may have made it at the same moment, and published; "
                       "`repoupdate update --reread` lists all packages",
                   {}};
    if (pointer) break;
    if (!pointer.failed_with(ErrorKind::precondition_failed)) return pointer.error();
    // Somebody else was faster, or what came first was our own, or nobody was and the store is mistaken.
    there = repository.store->head(key);
    if (there) {
      const PublishedObject& ours = spliced->publication.pointer;
      const auto is_ours = has_bytes(*repository.store, key, *there, ours.bytes.size(), ours.sha256);
      if (!is_ours) return is_ours.error();
      if (!*is_ours) return exists;
      if (auto whole = repair_signature(repository, there->etag, {}); !whole) return std::move(whole).error();
      break;
    }
    if (!there.failed_with(ErrorKind::not_found)) return there.error();
    if (attempt == k_max_creations)
      return Error{ErrorKind::conflict, repository.name + ": the store refuses to make repomd.xml; try again", {}};
  }
  report.published = true;
  report.revision = spliced->publication.revision;
  return report;
}

}  // namespace repoupdate
