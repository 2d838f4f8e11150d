// SPDX-License-Identifier: Apache-2.0
#include "app/package_removal.hpp"

#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "app/question.hpp"
#include "app/update_output.hpp"
#include "base/parallel.hpp"
#include "sync/quarantine.hpp"

namespace repoupdate {
namespace {

// More packages than this are removed only after a yes.
constexpr std::size_t k_without_asking = 10;

}  // namespace

bool matches_pattern(const std::string& pattern, const std::vector<std::string>& texts) {
  return std::ranges::any_of(texts, [&](const std::string& text) {
    return text == pattern || fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
  });
}

Result<void> confirm_removal(std::size_t packages, bool yes, std::stop_token stop) {
  if (yes || packages <= k_without_asking) return {};
  const std::string what = "this removes " + counted(packages, "package");
  if (isatty(STDIN_FILENO) != 1)
    return Error{ErrorKind::invalid, what + "; say --yes to do it, nothing was removed", {}};
  auto agreed = is_agreed(what + ". Go on?", std::move(stop));
  if (!agreed) return std::move(agreed.error()).within("nothing was removed");
  if (*agreed) return {};
  return Error{ErrorKind::cancelled, "nothing was removed", {}};
}

std::vector<PackageFailure> delete_objects(const Repository& repository, const std::set<std::string>& hrefs,
                                           std::stop_token stop) {
  const std::vector<std::string> keys(hrefs.begin(), hrefs.end());
  std::vector<PackageFailure> failures;
  std::mutex mutex;
  for_each_parallel(keys.size(), repository.policy.requests, [&](std::size_t i) {
    Result<void> removed = Error{ErrorKind::cancelled, "interrupted", {}};
    if (!stop.stop_requested()) removed = repository.store->remove(repository.prefix + keys[i], {});
    if (removed) return;
    const std::scoped_lock lock(mutex);
    failures.push_back(
        {keys[i], std::move(removed.error()).within("not listed any more, but the object is still there")});
  });
  std::ranges::sort(failures, {}, &PackageFailure::href);
  return failures;
}

Result<void> forget_quarantined(const Session& session, const Repository& repository,
                                const std::set<std::string>& hrefs) {
  WriteTurn turn(repository, session.clock);
  const auto edit = [&](QuarantineRecords& records) {
    std::erase_if(records, [&](const auto& record) { return hrefs.contains(record.first); });
  };
  const auto written = edit_quarantine(repository, turn, session.clock, edit, std::nullopt, {});
  return written ? Result<void>() : Result<void>(written.error());
}

}  // namespace repoupdate
