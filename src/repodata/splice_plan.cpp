// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice_plan.hpp"

#include <compare>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace repoupdate {
namespace {

// What the packages are sorted by.
struct Place {
  explicit Place(std::string_view location) : name(location.substr(location.rfind('/') + 1)), href(location) {}

  std::string_view name;
  std::string_view href;
  auto operator<=>(const Place&) const = default;
};

Error invalid(std::string message) {
  return {ErrorKind::invalid, std::move(message), {}};
}

Result<std::vector<bool>> mark_erased(const RepoIndex& index, const MetadataEdit& edit) {
  std::vector<bool> erased(index.entries.size(), false);
  const MetadataEdit::Erase* previous = nullptr;
  for (const auto& erase : edit.erases) {
    if (previous && erase.position <= previous->position)
      return invalid("the erases of the edit are not in order at " + erase.location_href);
    if (erase.position >= index.entries.size() || index.entries[erase.position].location_href != erase.location_href ||
        index.entries[erase.position].pkgid != erase.pkgid)
      return invalid("the edit erases " + erase.location_href + ", which is not what the index lists there");
    erased[erase.position] = true;
    previous = &erase;
  }
  return erased;
}

Result<void> check_inserts(const RepoIndex& index, const MetadataEdit& edit, const std::vector<bool>& erased) {
  std::unordered_set<std::string_view> hrefs;
  const PackageRecord* previous = nullptr;
  for (const auto& record : edit.inserts) {
    if (previous && Place(record.location_href) <= Place(previous->location_href))
      return invalid("the inserts of the edit are not in order at " + record.location_href);
    hrefs.insert(record.location_href);
    previous = &record;
  }
  for (std::size_t i = 0; i < index.entries.size(); ++i)
    if (!erased[i] && index.entries[i].location_base.empty() && hrefs.contains(index.entries[i].location_href))
      return invalid("the edit would list " + index.entries[i].location_href + " twice");
  return {};
}

}  // namespace

Result<SplicePlan> plan_splice(const RepoIndex& index, const MetadataEdit& edit) {
  auto erased = mark_erased(index, edit);
  if (!erased) return std::move(erased).error();
  if (auto checked = check_inserts(index, edit, *erased); !checked) return std::move(checked).error();

  SplicePlan plan;
  plan.erased = *std::move(erased);
  plan.packages = index.entries.size() - edit.erases.size() + edit.inserts.size();
  std::size_t before = 0;
  for (const auto& record : edit.inserts) {
    const Place place(record.location_href);
    while (before < index.entries.size() &&
           (plan.erased[before] || Place(index.entries[before].location_href) <= place))
      ++before;
    plan.inserts.push_back({before, &record});
  }
  return plan;
}

}  // namespace repoupdate
