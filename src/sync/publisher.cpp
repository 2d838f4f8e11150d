// SPDX-License-Identifier: Apache-2.0
#include "sync/publisher.hpp"

#include <tuple>
#include <utility>

#include "base/parallel.hpp"
#include "sync/object_hash.hpp"
#include "sync/signature.hpp"
#include "sync/sweep_claim.hpp"
#include "sync/sweep_notes.hpp"
#include "sync/sweep_policy.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_cache_for_ever = "public, max-age=31536000, immutable";
constexpr std::string_view k_cache_never = "no-cache";
constexpr int k_max_rounds = 3;  // of putting the hashed files

// What is there under the name of a file that is to be put.
struct Present {
  bool is_sound;  // it has that file's very bytes, as after a lost race or a crash
  ETag etag;
  Duration age{0};  // by the store's clock
};

Result<Present> look_at_present(const Repository& repository, const std::string& key, const PublishedFile& file,
                                const Clock& clock) {
  const auto there = repository.store->head(key);
  if (!there) return there.error();
  const auto same = has_bytes(*repository.store, key, *there, file.body->size(), file.sha256);
  if (!same) return same.error();
  const SystemTime now = there->answered == SystemTime{} ? clock.now() : there->answered;
  return Present{*same, there->etag, now - there->last_modified};
}

// 409: two writers at the same moment. That is a race lost like any other.
Error lost_or_failed(Error error) {
  if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::precondition_failed;
  return error;
}

enum class Outcome { put, found, repaired };  // found: with its very bytes, and perhaps put again

// A file that nobody has named for long may be about to be swept: it gets a new age before it is named again. What the
// old pointer names is safe.
bool is_to_be_put_again(const PublishedFile& file, const Present& present) {
  return !file.named_already && present.age > k_reuse_within;
}

// Other bytes than the name says are of use to nobody: who reads them finds the checksum wrong. So they are replaced
// whoever damaged them, and in one step: readers see the wrong bytes or the right ones.
Result<Outcome> put_immutable(const Repository& repository, const PublishedFile& file, const StoreAbilities& abilities,
                              const Clock& clock) {
  const std::string key = repository.prefix + file.key;
  Outcome outcome = Outcome::put;
  PutOptions options;
  options.if_absent = abilities.has_compare_and_swap();
  options.content_type = file.content_type;
  options.cache_control = k_cache_for_ever;
  options.sha256 = file.sha256;
  if (!options.if_absent) {  // whoever puts another one at the same moment puts the same bytes: its name says so
    const auto present = look_at_present(repository, key, file, clock);
    if (!present && !present.failed_with(ErrorKind::not_found)) return present.error();
    if (present && present->is_sound && !is_to_be_put_again(file, *present)) return Outcome::found;
    if (present) outcome = present->is_sound ? Outcome::found : Outcome::repaired;
  }
  auto put = repository.store->put(key, *file.body, options);
  if (options.if_absent && put.failed_with(ErrorKind::precondition_failed)) {
    const auto present = look_at_present(repository, key, file, clock);
    if (present.failed_with(ErrorKind::not_found)) return lost_or_failed(std::move(put).error());  // swept just now
    if (!present) return present.error();
    if (present->is_sound && !is_to_be_put_again(file, *present)) return Outcome::found;
    outcome = present->is_sound ? Outcome::found : Outcome::repaired;
    options.if_absent = false;
    options.if_match = present->etag;  // what somebody else has put right meanwhile stays as it is
    put = repository.store->put(key, *file.body, options);
  }
  if (!put) return lost_or_failed(std::move(put).error());
  if (put->size != file.body->size())
    return Error{ErrorKind::corrupt,
                 repository.name + '/' + file.key + ": the store kept " + std::to_string(put->size) + " of " +
                     std::to_string(file.body->size()) + " bytes",
                 {}};
  return outcome;
}

enum class Conditionally { yes, no };

Result<ObjectInfo> put_pointer(const Repository& repository, const Publication& publication,
                               Conditionally conditionally, std::optional<SteadyTime> deadline) {
  const PublishedObject& pointer = publication.pointer;
  PutOptions options;
  if (conditionally == Conditionally::yes) {
    options.if_absent = !publication.base;
    options.if_match = publication.base;
  }
  options.content_type = pointer.content_type;
  options.cache_control = k_cache_never;
  options.sha256 = pointer.sha256;
  options.deadline = deadline;
  auto put = repository.store->put(repository.prefix + pointer.key, pointer.bytes, options);
  if (put) return put;
  return lost_or_failed(std::move(put).error());
}

// precondition_failed when the pointer is not the one that was planned on.
Result<void> check_base(const Repository& repository, const Publication& publication) {
  const auto now = repository.store->head(repository.prefix + publication.pointer.key);
  if (!now && !now.failed_with(ErrorKind::not_found)) return now.error();
  const bool is_base = publication.base ? now && now->etag == *publication.base : !now;
  if (is_base) return {};
  return Error{ErrorKind::precondition_failed, repository.name + ": somebody else published meanwhile", {}};
}

Result<Published> put_pointer_by_condition(const Repository& repository, const Publication& publication) {
  auto put = put_pointer(repository, publication, Conditionally::yes, std::nullopt);
  if (!put) return std::move(put).error();
  return Published{std::move(put->etag), std::move(put->request_id)};
}

// With the turn ours, nobody else writes between the check and the end of the PUT. The condition goes along wherever the
// store lets it: it may have learnt it since we asked, and others may count on it.
Result<Published> put_pointer_in_turn(const Repository& repository, const Publication& publication, WriteTurn& turn,
                                      const StoreAbilities& abilities, std::stop_token stop) {
  if (auto taken = turn.take(std::move(stop)); !taken) return std::move(taken).error();
  if (auto base = check_base(repository, publication); !base) return std::move(base).error();
  const auto until = turn.confirm();
  if (!until) return until.error();
  const Condition condition = publication.base ? abilities.replace : abilities.create;
  const auto conditionally = condition == Condition::never_met ? Conditionally::no : Conditionally::yes;
  auto put = put_pointer(repository, publication, conditionally, *until);
  if (condition == Condition::refused &&
      (put.failed_with(ErrorKind::unsupported) || put.failed_with(ErrorKind::invalid)))
    put = put_pointer(repository, publication, Conditionally::no, *until);
  if (!put && !is_refusal(put.error().kind)) turn.leave_to_expire();
  if (!put) return std::move(put).error();
  if (!turn.confirm()) turn.note_overrun();  // were we too slow?
  return Published{std::move(put->etag), std::move(put->request_id)};
}

// Puts the hashed files, and sees to it that they are there until the pointer can be written.
class FilesInPlace {
public:
  FilesInPlace(const Repository& repository, const Publication& publication, const StoreAbilities& abilities,
               Clock& clock, std::stop_token stop)
      : m_repository(repository),
        m_publication(publication),
        m_abilities(abilities),
        m_clock(clock),
        m_stop(std::move(stop)) {}

  Result<void> put(std::vector<std::string>& repaired);
  // So long ago that a sweep may have taken them for what a crash left behind.
  bool is_long_ago() const { return m_since.passed() > k_publish_within; }

private:
  Result<void> put_round(std::vector<std::string>& repaired);
  Result<bool> are_there_after_sweeps();

  const Repository& m_repository;
  const Publication& m_publication;
  const StoreAbilities& m_abilities;
  Clock& m_clock;
  std::stop_token m_stop;
  Elapsed m_since{m_clock};
  std::vector<std::string> m_found;  // keys, of files that nobody names and that were there before this round
  bool m_is_prepared = false;        // the signature, once and before the pointer
};

Result<void> FilesInPlace::put_round(std::vector<std::string>& repaired) {
  m_since = Elapsed(m_clock);
  m_found.clear();
  const auto& files = m_publication.immutable;
  std::vector<Outcome> outcomes(files.size(), Outcome::found);
  const bool prepares = !std::exchange(m_is_prepared, true);
  auto put = try_each_parallel(files.size() + 1, m_repository.policy.requests, [&](std::size_t i) -> Result<void> {
    if (i == files.size()) return prepares ? prepare_signature(m_repository, m_publication.base) : Result<void>();
    const auto outcome = put_immutable(m_repository, files[i], m_abilities, m_clock);
    if (!outcome) return outcome.error();
    outcomes[i] = *outcome;
    m_repository.progress();
    return {};
  });
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i] == Outcome::repaired) repaired.push_back(files[i].key);
    if (outcomes[i] != Outcome::put && !files[i].named_already) m_found.push_back(files[i].key);
  }
  return put;
}

// A sweep that had its last look at them before they were put again, by us or by another publication just now, has said
// so before that, and is waited for.
Result<bool> FilesInPlace::are_there_after_sweeps() {
  if (auto waited = wait_for_sweeps(m_repository, m_clock, m_stop); !waited) return std::move(waited).error();
  for (const auto& key : m_found) {
    const auto there = m_repository.store->head(m_repository.prefix + key);
    if (there.failed_with(ErrorKind::not_found)) return false;
    if (!there) return there.error();
  }
  return true;
}

Result<void> FilesInPlace::put(std::vector<std::string>& repaired) {
  for (int round = 1; round <= k_max_rounds; ++round) {
    if (auto done = put_round(repaired); !done) return done;
    const auto there = m_found.empty() ? Result<bool>(true) : are_there_after_sweeps();
    if (!there) return there.error();
    if (*there && !is_long_ago()) return {};
  }
  return Error{ErrorKind::timed_out,
               m_repository.name + ": the metadata files could not be put within " +
                   std::to_string(std::chrono::duration_cast<std::chrono::minutes>(k_publish_within).count()) +
                   " minutes; nothing was published",
               {}};
}

}  // namespace

Result<Published> publish(const Repository& repository, const Publication& publication, WriteTurn& turn,
                          std::vector<std::string>& repaired, std::stop_token stop, StageWatch* stages) {
  const auto enter = [stages](Stage stage) {
    if (stages) stages->enter(stage);
  };
  enter(repository.signer ? Stage::sign : Stage::publish);
  const auto abilities = turn.abilities();
  if (!abilities) return abilities.error();
  std::string signature;
  if (repository.signer) {  // first of all: what cannot be signed is not put
    auto made = sign_pointer(repository, publication.pointer.bytes, stop);
    if (!made) return std::move(made).error();
    signature = *std::move(made);
    enter(Stage::publish);
  }
  FilesInPlace files(repository, publication, *abilities, turn.clock(), stop);
  if (auto put = files.put(repaired); !put) return std::move(put).error();
  // Who fails here leaves files of another tool behind, and nothing worse.
  std::ignore = note_superseded(repository, publication.superseded);
  if (stop.stop_requested())
    return Error{ErrorKind::cancelled, repository.name + ": stopped before repomd.xml was written", {}};
  auto published = abilities->has_compare_and_swap()
                       ? put_pointer_by_condition(repository, publication)
                       : put_pointer_in_turn(repository, publication, turn, *abilities, stop);
  if (!published) return published;
  // From here on the new repository is visible.
  if (auto finished = finish_pair(repository, published->pointer, signature); !finished)
    return std::move(finished).error();
  // A machine that was asleep just now may have lost files to a sweep.
  if (files.is_long_ago())
    if (auto put = files.put(repaired); !put) return std::move(put).error();
  return published;
}

}  // namespace repoupdate
