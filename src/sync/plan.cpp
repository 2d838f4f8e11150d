// SPDX-License-Identifier: Apache-2.0
#include "sync/plan.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "model/location_href.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// Collects the edit; erasing a position twice is harmless.
class EditBuilder {
public:
  explicit EditBuilder(const ListedEntries& listed) : m_listed(listed) {}

  void erase(std::string_view href) {
    for (const auto* package : m_listed.at(href)) m_erased.emplace(package->position, &package->entry);
  }
  void erase_of_any_base(std::string_view href) {
    for (const auto* package : m_listed.at_any_base(href)) m_erased.emplace(package->position, &package->entry);
  }
  void insert(PackageRecord record) { m_inserted.insert_or_assign(record.location_href, std::move(record)); }
  void take_back(const std::string& href) { m_inserted.erase(href); }
  bool is_erased(std::size_t position) const { return m_erased.contains(position); }
  const std::map<std::string, PackageRecord>& inserted() const { return m_inserted; }

  MetadataEdit finish() && {
    MetadataEdit edit;
    for (const auto& [position, entry] : m_erased)
      edit.erases.push_back({position, entry->location_href, entry->pkgid, entry->nevra});
    struct Insert {
      std::string_view name, href;
      PackageRecord* record;
    };
    std::vector<Insert> order;
    order.reserve(m_inserted.size());
    for (auto& [href, record] : m_inserted) order.push_back({basename_of(href), href, &record});
    std::ranges::sort(order, {}, [](const Insert& insert) { return std::pair(insert.name, insert.href); });
    edit.inserts.reserve(order.size());
    for (const Insert& insert : order) edit.inserts.push_back(std::move(*insert.record));
    return edit;
  }

private:
  const ListedEntries& m_listed;
  std::map<std::size_t, const IndexEntry*> m_erased;  // by position
  std::map<std::string, PackageRecord> m_inserted;
};

// One package that will be listed: an entry that stays, or an insert.
struct Holder {
  std::string href;
  std::string pkgid;
  std::int64_t time_file;
  bool is_new;
};

bool is_newer(const Holder& a, const Holder& b) {
  return std::tuple(a.time_file, a.href) > std::tuple(b.time_file, b.href);
}

// NEVRAs of the inserted packages, with everything that will be listed under them.
std::map<Nevra, std::vector<Holder>> holders_of_inserted(const ListedEntries& listed, const EditBuilder& edit) {
  std::map<Nevra, std::vector<Holder>> holders;
  for (const auto& [href, record] : edit.inserted())
    holders[record.nevra].push_back({href, record.pkgid.hex, record.time_file, true});
  if (holders.empty()) return holders;
  for (const auto& [position, entry] : listed.packages()) {
    if (edit.is_erased(position)) continue;
    if (const auto found = holders.find(entry.nevra); found != holders.end())
      found->second.push_back({entry.location_href, entry.pkgid, entry.time_file, false});
  }
  return holders;
}

void replace_older(const std::vector<Holder>& holders, EditBuilder& edit) {
  const Holder& newest = *std::min_element(holders.begin(), holders.end(), is_newer);
  for (const auto& holder : holders) {
    if (&holder == &newest) continue;
    holder.is_new ? edit.take_back(holder.href) : edit.erase(holder.href);
  }
}

// The one that is there first: listed, else the oldest.
const Holder& first_of(const std::vector<Holder>& holders) {
  const auto listed = std::find_if(holders.begin(), holders.end(), [](const Holder& h) { return !h.is_new; });
  return listed != holders.end() ? *listed : *std::max_element(holders.begin(), holders.end(), is_newer);
}

void reject_later(const Nevra& nevra, const std::vector<Holder>& holders, EditBuilder& edit, Plan& plan) {
  const Holder& keeper = first_of(holders);
  for (const auto& holder : holders) {
    if (&holder == &keeper || !holder.is_new) continue;
    edit.take_back(holder.href);
    plan.failures.push_back(
        {.href = holder.href,
         .error = {ErrorKind::invalid,
                   to_string(nevra) + " is listed already as " + keeper.href + ", and same-nevra is \"reject\"",
                   {}},
         .depends_on_others = true});
  }
}

Error other_bytes(const PackageRecord& record, const std::string& where) {
  return {ErrorKind::invalid,
          "refused by immutable: " + to_string(record.nevra) + " has other bytes than what is listed under " + where +
              "; give it another release, or put the old package back",
          {}};
}

// Other packages of the same NEVRA, under whatever key, which may be listed when the first one is gone.
void refuse_other_bytes(const ListedEntries& listed, EditBuilder& edit, Plan& plan) {
  for (const auto& [nevra, holders] : holders_of_inserted(listed, edit)) {
    const Holder& keeper = first_of(holders);
    for (const auto& holder : holders) {
      if (!holder.is_new || holder.pkgid == keeper.pkgid) continue;
      plan.failures.push_back({.href = holder.href,
                               .error = other_bytes(edit.inserted().at(holder.href), keeper.href),
                               .depends_on_others = true});
      edit.take_back(holder.href);
    }
  }
}

void apply_same_nevra(const ListedEntries& listed, SameNevra policy, EditBuilder& edit, Plan& plan) {
  for (const auto& [nevra, holders] : holders_of_inserted(listed, edit)) {
    if (holders.size() < 2) continue;
    std::string note = to_string(nevra) + " is there under " + std::to_string(holders.size()) + " keys:";
    for (const auto& holder : holders) note += ' ' + holder.href;
    plan.notes.push_back(std::move(note));
    switch (policy) {
      case SameNevra::keep: break;
      case SameNevra::replace: replace_older(holders, edit); break;
      case SameNevra::reject: reject_later(nevra, holders, edit, plan); break;
    }
  }
}

}  // namespace

ListedEntries::ListedEntries(std::vector<ListedPackage> packages) : m_packages(std::move(packages)) {
  std::ranges::sort(m_packages, {}, [](const ListedPackage& package) {
    return std::tuple(key_of_href(package.entry.location_href), !package.entry.location_base.empty(), package.position);
  });
}

std::vector<const ListedPackage*> ListedEntries::at_any_base(std::string_view href) const {
  std::vector<const ListedPackage*> found;
  for (const auto& package : std::ranges::equal_range(
           m_packages, href, {}, [](const ListedPackage& listed) { return key_of_href(listed.entry.location_href); }))
    found.push_back(&package);
  return found;
}

std::vector<const ListedPackage*> ListedEntries::at(std::string_view href) const {
  auto found = at_any_base(href);
  std::erase_if(found, [](const ListedPackage* package) { return !package->entry.location_base.empty(); });
  return found;
}

const IndexEntry* ListedEntries::find(std::string_view href) const {
  const auto found = at_any_base(href);
  return found.empty() ? nullptr : &found.front()->entry;
}

bool may_let_another_in(const MetadataEdit& edit, const PlanPolicy& policy) {
  if (policy.same_nevra == SameNevra::keep && !policy.immutable) return false;
  std::set<Nevra> inserted;
  for (const auto& record : edit.inserts) inserted.insert(record.nevra);
  return std::ranges::any_of(edit.erases, [&](const auto& erase) { return !inserted.contains(erase.nevra); });
}

bool is_settled(const ListedEntries& listed, const std::vector<Finding>& findings,
                const std::set<std::string>& removals, const PlanPolicy& policy) {
  const auto changes = [&](const Finding& finding) {
    if (finding.is_refused) return !policy.immutable && !listed.at(finding.href).empty();
    return std::holds_alternative<PackageRecord>(finding.what) ||
           (std::holds_alternative<Gone>(finding.what) && !listed.at(finding.href).empty());
  };
  return std::ranges::none_of(findings, changes) &&
         std::ranges::all_of(removals, [&](const auto& href) { return listed.at_any_base(href).empty(); });
}

Plan plan_edit(const ListedEntries& listed, std::vector<Finding> findings, const std::set<std::string>& removals,
               const PlanPolicy& policy) {
  Plan plan;
  EditBuilder edit(listed);
  for (auto& finding : findings) {
    if (auto* error = std::get_if<Error>(&finding.what)) {
      const bool withdraws = finding.is_refused && !policy.immutable;
      if (withdraws) edit.erase(finding.href);
      plan.failures.push_back({finding.href, std::move(*error), !withdraws && listed.find(finding.href) != nullptr});
    } else if (std::holds_alternative<Gone>(finding.what)) {
      edit.erase(finding.href);
    } else if (auto* record = std::get_if<PackageRecord>(&finding.what)) {
      if (policy.immutable && !listed.at(finding.href).empty()) {
        plan.failures.push_back({finding.href, other_bytes(*record, "this very key"), true});
        continue;
      }
      edit.erase(finding.href);
      edit.insert(std::move(*record));
    }
  }
  for (const auto& href : removals) edit.erase_of_any_base(href);
  if (policy.immutable) refuse_other_bytes(listed, edit, plan);
  apply_same_nevra(listed, policy.same_nevra, edit, plan);
  plan.edit = std::move(edit).finish();
  return plan;
}

}  // namespace repoupdate
