// SPDX-License-Identifier: Apache-2.0
#include "sync/quarantine.hpp"

#include <string>
#include <utility>

#include "base/retry.hpp"

namespace repoupdate {
namespace {

constexpr int k_attempts = 20;
const RetryPolicy k_race{.attempts = k_attempts, .base = Duration(50), .ceiling = Duration(800)};

struct Place {
  ObjectStore& store;
  std::string key;
};

Place place_of(const Repository& repository) {
  const QuarantinePlace& place = repository.quarantine;
  if (place.store) return {*place.store, place.key};
  return {*repository.store, repository.prefix + std::string(k_quarantine_key)};
}

Error named(Error error, const Repository& repository) {
  return std::move(error).within("quarantine of " + repository.name);
}

// Whoever takes turns writes while nobody else does; the others only when the object is still what they saw.
Result<ObjectInfo> write(const Repository& repository, const QuarantineSight& seen, const std::string& bytes,
                         bool compare_and_swap, std::optional<SteadyTime> deadline) {
  const Place place = place_of(repository);
  PutOptions options;
  options.content_type = "application/json";
  options.cache_control = "no-cache";
  options.deadline = deadline;
  if (compare_and_swap) {
    options.if_absent = !seen.etag;
    options.if_match = seen.etag;
  }
  return place.store.put(place.key, bytes, options);
}

bool is_lost_race(const Result<ObjectInfo>& put) {
  return put.failed_with(ErrorKind::precondition_failed) || put.failed_with(ErrorKind::conflict);
}

}  // namespace

Result<QuarantineSight> read_quarantine(const Repository& repository) {
  const Place place = place_of(repository);
  auto object = place.store.get(place.key, {}, k_max_quarantine_size);
  if (object.failed_with(ErrorKind::not_found)) return QuarantineSight{};
  // A local place need not be there before something is put into it.
  if (object.failed_with(ErrorKind::no_store) && repository.quarantine.store) return QuarantineSight{};
  if (object.failed_with(ErrorKind::invalid)) {  // larger than ours can be
    auto info = place.store.head(place.key);
    if (!info) return named(std::move(info).error(), repository);
    object = Object{*std::move(info), {}};
  }
  if (!object) return named(std::move(object).error(), repository);
  constexpr std::string_view k_ours = "{\"format\": ";
  auto records = parse_quarantine(object->bytes);
  if (!records && object->bytes.starts_with(k_ours) && object->bytes.substr(k_ours.size(), 2) != "1,")
    return Error{ErrorKind::unsupported,
                 "quarantine of " + repository.name + ": " + place.key + " is of a later version of repoupdate",
                 {}};
  return QuarantineSight{object->info.etag, std::move(records).value_or(QuarantineRecords())};
}

Result<QuarantineSight> edit_quarantine(const Repository& repository, WriteTurn& turn, Clock& clock,
                                        const QuarantineEdit& edit, std::optional<QuarantineSight> known,
                                        std::stop_token stop) {
  for (int attempt = 1; attempt <= k_attempts; ++attempt) {
    auto seen = known ? Result<QuarantineSight>(*std::move(known)) : read_quarantine(repository);
    if (!seen) return seen;
    known.reset();
    QuarantineRecords records = seen->records;
    edit(records);
    if (records == seen->records) return seen;
    const auto abilities = repository.quarantine.store ? Result<StoreAbilities>(StoreAbilities{}) : turn.abilities();
    if (!abilities) return named(abilities.error(), repository);
    const bool compare_and_swap = abilities->has_compare_and_swap();
    std::optional<SteadyTime> deadline;
    if (!compare_and_swap) {
      if (auto taken = turn.take(stop); !taken) return named(std::move(taken).error(), repository);
      seen = read_quarantine(repository);
      if (!seen) return seen;
      records = seen->records;
      edit(records);
      if (records == seen->records) return seen;
      auto ours = turn.confirm();
      if (!ours) return named(std::move(ours).error(), repository);
      deadline = *ours;
    }
    const std::string json = to_json(records);
    auto put = write(repository, *seen, json, compare_and_swap, deadline);
    if (!put && !compare_and_swap && !is_refusal(put.error().kind)) turn.leave_to_expire();
    if (put) return QuarantineSight{put->etag, parse_quarantine(json).value_or(QuarantineRecords())};
    if (!is_lost_race(put)) return named(std::move(put).error(), repository);
    if (!clock.sleep_for(retry_delay(k_race, attempt, jitter()), stop))
      return Error{ErrorKind::cancelled, repository.name + ": stopped before its quarantine was written", {}};
  }
  return Error{ErrorKind::conflict, "quarantine of " + repository.name + ": others kept writing it", {}};
}

}  // namespace repoupdate
