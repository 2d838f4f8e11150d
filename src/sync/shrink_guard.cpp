// SPDX-License-Identifier: Apache-2.0
#include "sync/shrink_guard.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "sync/package_key.hpp"

namespace repoupdate {

std::size_t count_dropped(const MetadataEdit& edit, const std::set<std::string>& removals) {
  std::set<std::pair<std::string_view, std::string_view>> builds;
  std::set<std::string_view> hrefs;
  for (const auto& record : edit.inserts) {
    builds.emplace(record.nevra.name, record.nevra.arch);
    hrefs.insert(record.location_href);
  }
  std::size_t dropped = 0;
  for (const auto& erase : edit.erases) {
    const bool is_named = removals.contains(std::string(key_of_href(erase.location_href)));
    const bool has_successor =
        hrefs.contains(erase.location_href) || builds.contains({erase.nevra.name, erase.nevra.arch});
    if (!is_named && !has_successor) ++dropped;
  }
  return dropped;
}

Turnover turnover_of(const MetadataEdit& edit, std::size_t dropped) {
  const std::size_t made_up = edit.erases.size() - std::min(dropped, edit.erases.size());
  return {dropped, edit.inserts.size() - std::min(made_up, edit.inserts.size())};
}

std::size_t still_lost(std::size_t lost, Turnover turnover) {
  const std::size_t gone = lost + turnover.dropped;
  return gone - std::min(gone, turnover.gained);
}

bool shrinks_too_much(const ShrinkPolicy& policy, std::size_t dropped, std::size_t before) {
  constexpr std::size_t k_all = 100;
  return policy.share < k_all && dropped > policy.spare && dropped * k_all > policy.share * before;
}

Error too_much_would_go(const std::string& repository, const ShrinkPolicy& policy, std::size_t dropped,
                        std::size_t before, bool rebuild) {
  const std::string command = std::string("repoupdate update ") + (rebuild ? "--rebuild " : "") + "--allow-shrink ";
  return {ErrorKind::unconfirmed,
          repository + ": " + std::to_string(dropped) + " of " + std::to_string(before) +
              " packages would be dropped, which is more than shrink_limit allows (" + std::to_string(policy.share) +
              " %); nothing was changed. Is everything there that should be? If they are meant to go, run `" + command +
              repository + '`',
          {}};
}

}  // namespace repoupdate
