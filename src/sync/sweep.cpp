// SPDX-License-Identifier: Apache-2.0
#include "sync/sweep.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "base/retry.hpp"
#include "sync/pending_uploads.hpp"
#include "sync/repository_state.hpp"
#include "sync/sweep_claim.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_metadata_prefix = "repodata/";
constexpr std::size_t k_requests = 4;  // at the same time: whoever publishes goes first

class Sweep {
public:
  Sweep(const Repository& repository, Clock& clock, std::stop_token stop)
      : m_repository(repository), m_clock(clock), m_stop(std::move(stop)) {}

  Result<SweepReport> run(bool dry_run);

private:
  Result<void> list();
  void keep_oldest();
  Result<void> read_pointer();
  Result<void> remove_files();
  void remove_one(SweepItem& item);
  bool is_to_go(SweepItem& item) const;
  Result<void> check_once_more(const SweepFile& file) const;
  bool is_gone(const SweepFile& file) const;
  void drop_uploads(bool dry_run);
  Result<void> keep_notes(SweepNotes notes);
  Error kept(const std::string& why) const { return {ErrorKind::precondition_failed, why, {}}; }
  Error stopped() const { return {ErrorKind::cancelled, m_repository.name + ": the sweep was stopped", {}}; }

  const Repository& m_repository;
  Clock& m_clock;
  std::stop_token m_stop;
  std::size_t most() const { return m_repository.policy.sweep.most; }

  SweepInput m_input;
  StoredNotes m_loaded;  // before the listing: they tell what may go
  std::optional<Elapsed> m_claimed;
  std::atomic<bool> m_is_all_known = true;  // what became of each deletion
  bool m_is_cut = false;                    // there is more that may go than is looked at
  SweepReport m_report;
};

Result<void> Sweep::list() {
  std::vector<ObjectInfo> others;  // not to be removed; it is told of them
  std::string continuation;
  do {
    if (m_stop.stop_requested()) return stopped();
    auto page = m_repository.store->list(m_repository.prefix + std::string(k_metadata_prefix), continuation);
    if (!page) return std::move(page.error()).within("listing " + m_repository.name);
    for (auto& object : page->objects) {
      object.key.erase(0, m_repository.prefix.size());
      if (may_go(object.key, m_loaded.notes))
        m_input.objects.push_back(std::move(object));
      else if (others.size() < most())
        others.push_back(std::move(object));
    }
    if (m_input.objects.size() > most() + most() / 4) keep_oldest();
    continuation = std::move(page->next);
  } while (!continuation.empty());
  keep_oldest();
  std::ranges::move(others, std::back_inserter(m_input.objects));
  std::ranges::sort(m_input.objects, {}, &ObjectInfo::key);
  return {};
}

// Each of the newest generations of all is also one of the newest of those that are kept, so it stays. And so does what
// only a note makes known, or it would be forgotten.
void Sweep::keep_oldest() {
  auto& objects = m_input.objects;
  if (objects.size() <= most()) return;
  m_is_cut = true;
  std::ranges::nth_element(objects, objects.begin() + static_cast<std::ptrdiff_t>(most()), {},
                           [this](const ObjectInfo& object) {
                             return std::pair(!m_loaded.notes.known.contains(object.key), object.last_modified);
                           });
  objects.resize(most());
}

Result<void> Sweep::read_pointer() {
  auto pointer = m_repository.store->get(m_repository.prefix + std::string(k_repomd_key), {}, k_max_repomd_size);
  if (pointer.failed_with(ErrorKind::not_found)) return no_repository(m_repository);
  if (!pointer) return std::move(pointer).error();
  auto repomd = parse_repomd(pointer->bytes);
  if (!repomd) return damaged_pointer(m_repository, std::move(repomd).error());
  m_input.named = NamedFiles(*repomd, std::move(pointer->bytes));
  m_input.pointer_modified = pointer->info.last_modified;
  m_input.times_are_of_files = m_repository.times_are_of_files;
  m_input.now = pointer->info.answered == SystemTime{} ? m_clock.now() : pointer->info.answered;
  return {};
}

Result<SweepReport> Sweep::run(bool dry_run) {
  auto loaded = load_sweep_notes(m_repository);
  if (!loaded) return std::move(loaded).error();
  m_loaded = *std::move(loaded);
  m_input.notes = m_loaded.notes;
  if (auto listed = list(); !listed) return std::move(listed).error();
  // After the listing: what was put and named since is not in it.
  if (auto read = read_pointer(); !read) return std::move(read).error();
  SweepPlan plan = plan_sweep(m_input, m_repository.policy.sweep);
  if (plan.next) m_report.due_in = *plan.next - m_input.now;
  for (auto& file : plan.files) m_report.items.push_back({.file = std::move(file), .kept = {}, .failure = {}});
  const bool anything_goes = std::ranges::any_of(
      m_report.items, [](const SweepItem& item) { return item.file.verdict == SweepVerdict::goes; });
  if (dry_run) {
    for (auto& item : m_report.items) item.removed = item.file.verdict == SweepVerdict::goes;
  } else if (anything_goes) {
    if (auto removed = remove_files(); !removed) return std::move(removed).error();
  }
  // The oldest are looked at first: when none of them goes, nothing does.
  m_report.is_partial = (m_is_cut && m_report.removed() > 0) || std::ranges::any_of(m_report.items, &SweepItem::left);
  drop_uploads(dry_run);
  if (!dry_run)
    if (auto noted = keep_notes(std::move(plan.notes)); !noted) return std::move(noted).error();
  return std::move(m_report);
}

// The claim first, then the last look at each file: who puts one again after that look sees the claim, and waits.
Result<void> Sweep::remove_files() {
  const auto claimed = claim_sweep(m_repository, m_clock, m_stop);
  if (!claimed) return claimed.error();
  m_claimed = *claimed;
  const auto named = read_pointer();  // what other tools have named meanwhile they may not have put again
  if (named) {
    std::vector<SweepItem*> going;
    for (auto& item : m_report.items)
      if (item.file.verdict == SweepVerdict::goes) going.push_back(&item);
    for_each_parallel(going.size(), std::min(k_requests, m_repository.policy.requests),
                      [&](std::size_t i) { remove_one(*going[i]); });
  }
  if (m_is_all_known) release_sweep(m_repository, *m_claimed, m_clock);
  if (!named) return named;
  return m_stop.stop_requested() ? Result<void>(stopped()) : Result<void>();
}

// A deletion goes out once for each look: one that is repeated blindly takes away what was put, and named, since the
// first one had its effect. One that may be on its way still is not repeated at all; the claim stays behind and tells
// of it for as long as it may arrive.
void Sweep::remove_one(SweepItem& item) {
  const RetryPolicy retry;
  for (int attempt = 1; !m_stop.stop_requested(); ++attempt) {
    RemoveOptions options;
    options.once = true;
    options.deadline = m_claimed->after(k_sweep_within);
    options.decided = m_clock.now();
    item.left = m_claimed->passed() > k_sweep_within;
    if (item.left || !is_to_go(item)) return;
    auto removed = m_repository.store->remove(m_repository.prefix + item.file.key, options);
    item.removed = removed.ok() || (!is_refusal(removed.error().kind) && is_gone(item.file));
    if (item.removed) return;
    if (!is_refusal(removed.error().kind)) m_is_all_known = false;
    if (!removed.failed_with(ErrorKind::throttled) || attempt == retry.attempts) {
      item.failure = std::move(removed).error();
      return;
    }
    m_clock.sleep_for(retry_delay(retry, attempt, jitter()), m_stop);
  }
}

bool Sweep::is_to_go(SweepItem& item) const {
  auto checked = check_once_more(item.file);
  if (checked) return true;
  if (checked.failed_with(ErrorKind::not_found))
    item.removed = true;  // by somebody else
  else if (checked.failed_with(ErrorKind::precondition_failed))
    item.kept = checked.error().message;
  else
    item.failure = std::move(checked).error();
  return false;
}

// By the only deletion of it that went out. That is better known from a GET (ObjectStore::head()).
bool Sweep::is_gone(const SweepFile& file) const {
  const GetOptions one_byte{.range = ByteRange{0, 1}};
  return m_repository.store->get(m_repository.prefix + file.key, one_byte, 1).failed_with(ErrorKind::not_found);
}

Result<void> Sweep::check_once_more(const SweepFile& file) const {
  if (m_input.named.contain(file.key)) return kept("somebody has named it meanwhile");
  const auto now = m_repository.store->head(m_repository.prefix + file.key);
  if (!now) return now.error();
  const SystemTime time = now->answered == SystemTime{} ? m_clock.now() : now->answered;
  if (now->size != file.size || time - now->last_modified < least_age(m_repository.policy.sweep))
    return kept("somebody put it again meanwhile");
  const auto name = parse_hashed_name(file.key);
  const bool tells = name && now->sha256 && hash_type_of_length(name->hash.size()) == HashType::sha256;
  if (tells && *now->sha256 != name->hash) return kept("it has other bytes than its name says: it is not known");
  return {};
}

// Of our own metadata files alone; `verify --remove-uploads` is for all.
void Sweep::drop_uploads(bool dry_run) {
  std::string continuation;
  do {
    auto page = m_repository.store->list_uploads(m_repository.prefix + std::string(k_metadata_prefix), continuation);
    if (!page) {
      m_report.upload_failures.push_back(std::move(page).error());
      return;
    }
    for (auto& upload : page->uploads) {
      if (!upload.key.starts_with(m_repository.prefix)) continue;
      upload.key.erase(0, m_repository.prefix.size());
      if (!has_our_name(upload.key) || !is_abandoned(upload, m_input.now)) continue;
      const auto dropped = dry_run ? Result<void>() : drop_pending_upload(m_repository, upload);
      if (dropped)
        m_report.uploads.push_back(std::move(upload));
      else
        m_report.upload_failures.push_back(dropped.error());
    }
    continuation = std::move(page->next);
  } while (!continuation.empty() && !m_stop.stop_requested());
}

Result<void> Sweep::keep_notes(SweepNotes notes) {
  for (const auto& item : m_report.items) {
    if (!item.removed) continue;
    notes.seen.erase(item.file.key);
    notes.known.erase(item.file.key);
  }
  if (notes == m_loaded.notes) return {};
  return store_sweep_notes(m_repository, m_loaded, std::move(notes));
}

}  // namespace

std::size_t SweepReport::removed() const {
  return static_cast<std::size_t>(std::ranges::count_if(items, &SweepItem::removed));
}

std::size_t SweepReport::failed() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(items, [](const SweepItem& item) { return item.failure.has_value(); }));
}

std::size_t SweepReport::unnamed() const {
  return static_cast<std::size_t>(std::ranges::count_if(items, [](const SweepItem& item) {
    return item.file.verdict == SweepVerdict::grace || item.file.verdict == SweepVerdict::generation;
  }));
}

std::uint64_t SweepReport::removed_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& item : items)
    if (item.removed) bytes += item.file.size;
  return bytes;
}

Result<SweepReport> sweep(const Repository& repository, bool dry_run, Clock& clock, std::stop_token stop) {
  return Sweep(repository, clock, std::move(stop)).run(dry_run);
}

}  // namespace repoupdate
