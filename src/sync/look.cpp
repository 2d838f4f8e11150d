// SPDX-License-Identifier: Apache-2.0
#include "sync/look.hpp"

#include <algorithm>

#include "base/parallel.hpp"

namespace repoupdate {
namespace {

const Finding* find(const Findings& findings, const std::string& href) {
  const auto found = findings.find(href);
  return found == findings.end() ? nullptr : &found->second;
}

bool is_gone(const Finding& finding) {
  return std::holds_alternative<Gone>(finding.what);
}

// Keys that are looked at only after the first spelling of them is known.
std::vector<std::string> raw_spellings(const Repository& repository, const ListedEntries& listed,
                                       const std::vector<Finding>& findings, const ChangeSet& changes) {
  std::vector<std::string> raw;
  for (const auto& finding : findings) {
    const auto change = changes.keys.find(finding.href);
    if (change == changes.keys.end() || !repository.owns(change->second.raw_href)) continue;
    const std::string& spelling = change->second.raw_href;
    if (is_gone(finding) || listed.find(spelling)) raw.push_back(spelling);
  }
  return raw;
}

}  // namespace

Result<std::vector<Finding>> look_at(const Repository& repository, const ListedEntries& listed,
                                     const std::set<std::string>& hrefs, const ChangeSet& changes, Findings& earlier,
                                     std::stop_token stop) {
  const PackageFetch fetch(*repository.store, repository.prefix, repository.policy.packages);
  // A directory answers at once: more than one thread for each core would only be in the way.
  const std::size_t threads = repository.store->is_local() ? repository.policy.threads : repository.policy.requests;
  const auto look_at_all = [&](const std::vector<std::string>& keys) {
    std::vector<Finding> findings(keys.size());
    for_each_parallel(keys.size(), threads, [&](std::size_t i) {
      if (!stop.stop_requested()) findings[i] = fetch.look(keys[i], listed.find(keys[i]), find(earlier, keys[i]));
    });
    return findings;
  };

  auto findings = look_at_all({hrefs.begin(), hrefs.end()});
  auto second = raw_spellings(repository, listed, findings, changes);
  std::erase_if(second, [&](const std::string& href) { return hrefs.contains(href); });
  std::ranges::move(look_at_all(second), std::back_inserter(findings));
  if (stop.stop_requested())
    return Error{ErrorKind::cancelled, repository.name + ": stopped while reading packages", {}};
  for (const auto& finding : findings) earlier[finding.href] = finding;
  return findings;
}

std::set<std::string> changed_since(const Repository& repository, const std::vector<std::string>& hrefs,
                                    const Findings& findings) {
  std::vector<char> changed(hrefs.size(), 0);
  for_each_parallel(hrefs.size(), repository.policy.requests, [&](std::size_t i) {
    const Finding* finding = find(findings, hrefs[i]);
    if (!finding) return;  // an explicit removal: published whatever the store has
    const auto object = repository.store->head(repository.prefix + hrefs[i]);
    const bool same =
        is_gone(*finding) ? object.failed_with(ErrorKind::not_found) : object.ok() && object->etag == finding->etag;
    changed[i] = !same;
  });
  std::set<std::string> keys;
  for (std::size_t i = 0; i < hrefs.size(); ++i)
    if (changed[i]) keys.insert(hrefs[i]);
  return keys;
}

}  // namespace repoupdate
