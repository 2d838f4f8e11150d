// SPDX-License-Identifier: Apache-2.0
// What `remove` and `quarantine drop` have in common: objects that go for good.
#pragma once

#include <cstddef>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "app/session.hpp"
#include "sync/plan.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

// True when one of `texts` is the pattern, or matches it as a glob of the shell.
bool matches_pattern(const std::string& pattern, const std::vector<std::string>& texts);

// More than ten are removed only after a yes: `yes`, or an answer on the terminal. invalid: nobody is there to answer;
// cancelled: the answer was no, or a stop was requested instead.
Result<void> confirm_removal(std::size_t packages, bool yes, std::stop_token stop);

// Those whose object stays behind; absent already is success. After a requested stop nothing more is deleted: what is
// left is cancelled.
std::vector<PackageFailure> delete_objects(const Repository& repository, const std::set<std::string>& hrefs,
                                           std::stop_token stop);

// Drops their quarantine records, also after a requested stop: they speak of objects that are gone.
Result<void> forget_quarantined(const Session& session, const Repository& repository,
                                const std::set<std::string>& hrefs);

}  // namespace repoupdate
