// SPDX-License-Identifier: Apache-2.0
// Looks at many keys of a repository at the same time.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/change_set.hpp"
#include "sync/package_fetch.hpp"
#include "sync/plan.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

using Findings = std::map<std::string, Finding>;  // by href

// What each of `hrefs` is now; `listed` holds what the metadata say of them. `earlier` holds what previous looks found
// and takes in what this one finds. `fresh`, what was found a moment ago, is not looked at again.
// A key of `changes` that is not there is looked for under its raw spelling too. What is not there, and nothing else
// said so (Key::said_gone, `gone_by_listing`), is looked at twice, the second time by a GET, whose 404 says
// whose it is: one that is no truth must take no package out of the metadata, nor pass for an event's answer. cancelled: a stop was requested.
Result<std::vector<Finding>> look_at(const Repository& repository, const ListedEntries& listed,
                                     const std::set<std::string>& hrefs, const ChangeSet& changes,
                                     const std::set<std::string>& gone_by_listing, Findings& earlier, Findings fresh,
                                     std::stop_token stop);

// What each of `hrefs` is now, before it is known what the metadata say: `listed` is what they said last, if anything.
Findings look_ahead(const Repository& repository, const ListedEntries& listed, const std::set<std::string>& hrefs,
                    std::stop_token stop);

// Of what look_ahead() found, that which still counts beside metadata that are newer: packages that were read, but for
// those whose entry has other bytes. An entry that one of them describes is Unchanged.
Findings still_good(Findings ahead, const ListedEntries& listed);

// After a publication: which of the edited keys are not what was published any more, because they changed
// between the look and the publication. Whoever changed them may have found nothing to do before our
// publication came, so it is ours to look again. Keys that cannot be confirmed count as changed. One HEAD each, or a
// page or two of a listing for many that stand close together.
std::set<std::string> changed_since(const Repository& repository, const std::vector<std::string>& hrefs,
                                    const Findings& findings);

}  // namespace repoupdate
