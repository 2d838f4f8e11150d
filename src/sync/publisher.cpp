// SPDX-License-Identifier: Apache-2.0
#include "sync/publisher.hpp"

#include "base/parallel.hpp"
#include "sync/object_hash.hpp"
#include "sync/signature.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_cache_for_ever = "public, max-age=31536000, immutable";
constexpr std::string_view k_cache_never = "no-cache";

// What is there under the name of a file that is to be put.
struct Present {
  bool is_sound;  // it has that file's very bytes, as after a lost race or a crash
  ETag etag;
};

Result<Present> look_at_present(const Repository& repository, const std::string& key, const PublishedFile& file) {
  const auto there = repository.store->head(key);
  if (!there) return there.error();
  const auto same = has_bytes(*repository.store, key, *there, file.body->size(), file.sha256);
  if (!same) return same.error();
  return Present{*same, there->etag};
}

// 409: two writers at the same moment. That is a race lost like any other.
Error lost_or_failed(Error error) {
  if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::precondition_failed;
  return error;
}

enum class Outcome { there_already, put, repaired };

// Other bytes than the name says are of use to nobody: who reads them finds the checksum wrong. So they are replaced
// whoever damaged them, and in one step: readers see the wrong bytes or the right ones.
Result<Outcome> put_immutable(const Repository& repository, const PublishedFile& file,
                              const StoreAbilities& abilities) {
  const std::string key = repository.prefix + file.key;
  Outcome outcome = Outcome::put;
  PutOptions options;
  options.if_absent = abilities.has_compare_and_swap();
  options.content_type = file.content_type;
  options.cache_control = k_cache_for_ever;
  options.sha256 = file.sha256;
  if (!options.if_absent) {  // whoever puts another one at the same moment puts the same bytes: its name says so
    const auto present = look_at_present(repository, key, file);
    if (!present && !present.failed_with(ErrorKind::not_found)) return present.error();
    if (present && present->is_sound) return Outcome::there_already;
    if (present) outcome = Outcome::repaired;
  }
  auto put = repository.store->put(key, *file.body, options);
  if (options.if_absent && put.failed_with(ErrorKind::precondition_failed)) {
    const auto present = look_at_present(repository, key, file);
    if (!present) return present.error();
    if (present->is_sound) return Outcome::there_already;
    outcome = Outcome::repaired;
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
                               Conditionally conditionally) {
  const PublishedObject& pointer = publication.pointer;
  PutOptions options;
  if (conditionally == Conditionally::yes) {
    options.if_absent = !publication.base;
    options.if_match = publication.base;
  }
  options.content_type = pointer.content_type;
  options.cache_control = k_cache_never;
  options.sha256 = pointer.sha256;
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

// With the turn ours, nobody else writes between the check and the PUT. The condition goes along wherever the store
// lets it: it may have learnt it since we asked, and others may count on it.
Result<ObjectInfo> put_pointer_in_turn(const Repository& repository, const Publication& publication, WriteTurn& turn,
                                       const StoreAbilities& abilities, std::stop_token stop) {
  if (auto taken = turn.take(std::move(stop)); !taken) return std::move(taken).error();
  if (auto base = check_base(repository, publication); !base) return std::move(base).error();
  if (auto ours = turn.confirm(); !ours) return std::move(ours).error();
  const Condition condition = publication.base ? abilities.replace : abilities.create;
  auto put = condition == Condition::never_met ? put_pointer(repository, publication, Conditionally::no)
                                               : put_pointer(repository, publication, Conditionally::yes);
  if (condition == Condition::refused &&
      (put.failed_with(ErrorKind::unsupported) || put.failed_with(ErrorKind::invalid)))
    put = put_pointer(repository, publication, Conditionally::no);
  if (!put) return put;
  // Were we too slow? Then it is looked at once more what is there now.
  if (auto ours = turn.confirm(); !ours) return std::move(ours).error();
  return put;
}

}  // namespace

Result<ETag> publish(const Repository& repository, const Publication& publication, WriteTurn& turn,
                     std::vector<std::string>& repaired, std::stop_token stop, PublishNotes* notes) {
  const auto enter = [notes](Stage stage) {
    if (notes && notes->stages) notes->stages->enter(stage);
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
  const std::size_t files = publication.immutable.size();
  std::vector<Outcome> outcomes(files, Outcome::there_already);
  const auto put_one = [&](std::size_t i) -> Result<void> {
    if (i == files) return prepare_signature(repository, publication.base);
    const auto outcome = put_immutable(repository, publication.immutable[i], *abilities);
    if (!outcome) return outcome.error();
    outcomes[i] = *outcome;
    return {};
  };
  auto put = try_each_parallel(files + 1, repository.policy.requests, put_one);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    if (outcomes[i] == Outcome::repaired) repaired.push_back(publication.immutable[i].key);
  if (!put) return std::move(put).error();
  if (stop.stop_requested())
    return Error{ErrorKind::cancelled, repository.name + ": stopped before repomd.xml was written", {}};
  auto pointer = abilities->has_compare_and_swap()
                     ? put_pointer(repository, publication, Conditionally::yes)
                     : put_pointer_in_turn(repository, publication, turn, *abilities, stop);
  if (!pointer) return std::move(pointer).error();
  if (notes) notes->request_id = pointer->request_id;
  // From here on the new repository is visible.
  if (auto finished = finish_pair(repository, pointer->etag, signature); !finished) return std::move(finished).error();
  return pointer->etag;
}

}  // namespace repoupdate
