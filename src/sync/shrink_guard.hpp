// SPDX-License-Identifier: Apache-2.0
// Holds back a publication after which much of the repository would be gone: a disk that is not mounted, a prefix that
// is misspelt and a lifecycle rule look like packages that somebody removed (semantics 29,
// docs/decisions/0022-shrink-guard.md). Pure.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/metadata_edit.hpp"

namespace repoupdate {

struct ShrinkPolicy {
  std::size_t share = 50;  // percent of the packages that may go; 100: all of them
  std::size_t spare = 20;  // packages that may always go, whatever their share is
};

// What was dropped in several publications within this time counts as one.
inline constexpr Duration k_shrink_window{std::chrono::hours(1)};

// How many packages the edit takes away: not those of which it lists another build (the same name and architecture),
// and not those in `removals`, which somebody has named.
std::size_t count_dropped(const MetadataEdit& edit, const std::set<std::string>& removals);

// What a publication does to the number of packages, replacements aside.
struct Turnover {
  std::size_t dropped = 0;  // see count_dropped()
  std::size_t gained = 0;
};

// Of an edit that takes away `dropped` packages.
Turnover turnover_of(const MetadataEdit& edit, std::size_t dropped);

// Packages lost so far, one publication later: what comes makes up for what went, so that a repository in which
// packages come and go is not taken for one that shrinks.
std::size_t still_lost(std::size_t lost, Turnover turnover);

// `before`: packages listed before any of `dropped` went.
bool shrinks_too_much(const ShrinkPolicy& policy, std::size_t dropped, std::size_t before);

// unconfirmed, with the way out; `repository` as a command takes it.
Error too_much_would_go(const std::string& repository, const ShrinkPolicy& policy, std::size_t dropped,
                        std::size_t before, bool rebuild);

}  // namespace repoupdate
