// SPDX-License-Identifier: Apache-2.0
#include "sync/plan.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// Collects the edit; erasing a position twice is harmless.
class EditBuilder {
public:
  EditBuilder(const RepoIndex& index, const ListedEntries& listed) : m_index(index), m_listed(listed) {}

  void erase(std::string_view href) {
    for (const auto position : m_listed.positions(href)) m_erased.insert(position);
  }
  void erase_of_any_base(std::string_view href) {
    for (const auto position : m_listed.positions_of_any_base(href)) m_erased.insert(position);
  }
  void insert(PackageRecord record) { m_inserted.insert_or_assign(record.location_href, std::move(record)); }
  void take_back(const std::string& href) { m_inserted.erase(href); }
  bool is_erased(std::size_t position) const { return m_erased.contains(position); }
  const std::map<std::string, PackageRecord>& inserted() const { return m_inserted; }

  MetadataEdit finish() && {
    MetadataEdit edit;
    for (const auto position : m_erased) {
      const IndexEntry& entry = m_index.entries[position];
      edit.erases.push_back({position, entry.location_href, entry.pkgid, entry.nevra});
    }
    for (auto& [href, record] : m_inserted) edit.inserts.push_back(std::move(record));
    std::sort(edit.inserts.begin(), edit.inserts.end(), [](const PackageRecord& a, const PackageRecord& b) {
      return std::tuple(basename_of(a.location_href), std::string_view(a.location_href)) <
             std::tuple(basename_of(b.location_href), std::string_view(b.location_href));
    });
    return edit;
  }

private:
  const RepoIndex& m_index;
  const ListedEntries& m_listed;
  std::set<std::size_t> m_erased;
  std::map<std::string, PackageRecord> m_inserted;
};

// One package that will be listed: an entry that stays, or an insert.
struct Holder {
  std::string href;
  std::int64_t time_file;
  bool is_new;
};

bool is_newer(const Holder& a, const Holder& b) {
  return std::tuple(a.time_file, a.href) > std::tuple(b.time_file, b.href);
}

// NEVRAs of the inserted packages, with everything that will be listed under them.
std::map<Nevra, std::vector<Holder>> holders_of_inserted(const RepoIndex& index, const EditBuilder& edit) {
  std::map<Nevra, std::vector<Holder>> holders;
  for (const auto& [href, record] : edit.inserted()) holders[record.nevra].push_back({href, record.time_file, true});
  if (holders.empty()) return holders;
  for (std::size_t position = 0; position < index.entries.size(); ++position) {
    const IndexEntry& entry = index.entries[position];
    if (edit.is_erased(position)) continue;
    if (const auto found = holders.find(entry.nevra); found != holders.end())
      found->second.push_back({entry.location_href, entry.time_file, false});
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

void reject_later(const Nevra& nevra, const std::vector<Holder>& holders, EditBuilder& edit, Plan& plan) {
  const auto listed = std::find_if(holders.begin(), holders.end(), [](const Holder& h) { return !h.is_new; });
  const Holder& keeper =
      listed != holders.end() ? *listed : *std::max_element(holders.begin(), holders.end(), is_newer);
  for (const auto& holder : holders) {
    if (&holder == &keeper || !holder.is_new) continue;
    edit.take_back(holder.href);
    plan.failures.push_back({holder.href, Error{ErrorKind::invalid,
                                                to_string(nevra) + " is listed already as " + keeper.href +
                                                    ", and same-nevra is \"reject\"",
                                                {}}});
  }
}

void apply_same_nevra(const RepoIndex& index, SameNevra policy, EditBuilder& edit, Plan& plan) {
  for (const auto& [nevra, holders] : holders_of_inserted(index, edit)) {
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

ListedEntries::ListedEntries(const RepoIndex& index) : m_index(index), m_by_href(index.entries.size()) {
  std::iota(m_by_href.begin(), m_by_href.end(), std::size_t{0});
  std::ranges::stable_sort(m_by_href, {}, [&](std::size_t position) {
    const IndexEntry& entry = index.entries[position];
    return std::pair(key_of_href(entry.location_href), !entry.location_base.empty());
  });
}

std::vector<std::size_t> ListedEntries::positions_of_any_base(std::string_view href) const {
  const auto [first, last] = std::ranges::equal_range(
      m_by_href, href, {}, [&](std::size_t position) { return key_of_href(m_index.entries[position].location_href); });
  return {first, last};
}

std::vector<std::size_t> ListedEntries::positions(std::string_view href) const {
  auto found = positions_of_any_base(href);
  std::erase_if(found, [&](std::size_t position) { return !m_index.entries[position].location_base.empty(); });
  return found;
}

const IndexEntry* ListedEntries::find(std::string_view href) const {
  const auto found = positions_of_any_base(href);
  return found.empty() ? nullptr : &m_index.entries[found.front()];
}

Plan plan_edit(const RepoIndex& index, std::vector<Finding> findings, const std::set<std::string>& removals,
               SameNevra policy) {
  Plan plan;
  const ListedEntries listed(index);
  EditBuilder edit(index, listed);
  for (auto& finding : findings) {
    if (auto* error = std::get_if<Error>(&finding.what)) {
      plan.failures.push_back({finding.href, std::move(*error)});
    } else if (std::holds_alternative<Gone>(finding.what)) {
      edit.erase(finding.href);
    } else if (auto* record = std::get_if<PackageRecord>(&finding.what)) {
      edit.erase(finding.href);
      edit.insert(std::move(*record));
    }
  }
  for (const auto& href : removals) edit.erase_of_any_base(href);
  apply_same_nevra(index, policy, edit, plan);
  plan.edit = std::move(edit).finish();
  return plan;
}

}  // namespace repoupdate
