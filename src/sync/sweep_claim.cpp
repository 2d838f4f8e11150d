// SPDX-License-Identifier: Apache-2.0
#include "sync/sweep_claim.hpp"

#include <string>
#include <tuple>
#include <utility>

#include "sync/write_turn.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_look_again{std::chrono::seconds(1)};

std::string claim_key(const Repository& repository) {
  return repository.prefix + std::string(k_sweeping_key);
}

struct Claim {
  ETag etag;
  bool is_over = false;  // its sweep cannot delete anything any more
};

Result<std::optional<Claim>> find_claim(const Repository& repository, const Clock& clock) {
  const auto there = repository.store->head(claim_key(repository));
  if (there.failed_with(ErrorKind::not_found)) return std::optional<Claim>();
  if (!there) return there.error();
  const SystemTime now = there->answered == SystemTime{} ? clock.now() : there->answered;
  return std::optional(Claim{there->etag, now - there->last_modified > k_sweep_believed});
}

Error others_sweep(const Repository& repository) {
  return {ErrorKind::conflict,
          repository.name +
              ": another sweep is under way; nothing was removed. One that broke off counts as such for " +
              std::to_string(k_sweep_believed / std::chrono::minutes(1)) + " minutes",
          {}};
}

}  // namespace

Result<Elapsed> claim_sweep(const Repository& repository, Clock& clock, std::stop_token stop) {
  WriteTurn turn(repository, clock);
  const auto abilities = turn.abilities();
  if (!abilities) return abilities.error();
  const bool conditionally = abilities->has_compare_and_swap();
  if (!conditionally)
    if (auto taken = turn.take(std::move(stop)); !taken) return std::move(taken).error();
  const auto found = find_claim(repository, clock);
  if (!found) return found.error();
  if (*found && !(*found)->is_over) return others_sweep(repository);
  PutOptions options;
  options.content_type = "text/plain";
  options.cache_control = "no-cache";
  if (conditionally) {
    options.if_absent = !*found;
    if (*found) options.if_match = (*found)->etag;
  }
  const std::string text = "metadata that nobody names are being removed by " + repository.policy.lease.who + "\n";
  const Elapsed claimed(clock);  // before the store's time of it: whatever happens on the way counts
  const auto put = repository.store->put(claim_key(repository), text, options);
  if (put.failed_with(ErrorKind::precondition_failed) || put.failed_with(ErrorKind::conflict))
    return others_sweep(repository);
  if (!put) return put.error();
  return claimed;
}

void release_sweep(const Repository& repository, const Elapsed& claimed, const Clock& clock) {
  RemoveOptions options;
  options.once = true;  // the next claim may be there when a second one arrives
  options.deadline = claimed.after(k_release_within);
  options.decided = clock.now();
  if (claimed.passed() < k_release_within) std::ignore = repository.store->remove(claim_key(repository), options);
}

Result<void> wait_for_sweeps(const Repository& repository, Clock& clock, std::stop_token stop) {
  const Elapsed waited(clock);
  while (true) {
    const auto found = find_claim(repository, clock);
    if (!found) return found.error();
    // What is seen after that was said later.
    repository.progress();
    if (!*found || (*found)->is_over || waited.passed() > k_sweep_believed) return {};
    if (!clock.sleep_for(k_look_again, stop))
      return Error{ErrorKind::cancelled, repository.name + ": stopped before repomd.xml was written", {}};
  }
}

}  // namespace repoupdate
