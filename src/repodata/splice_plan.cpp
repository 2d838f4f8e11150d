// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice_plan.hpp"

#include <algorithm>
#include <compare>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "model/location_href.hpp"
#include "repodata/fragment_reader.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

// What the packages are sorted by.
struct Place {
  explicit Place(std::string_view location) : name(basename_of(location)), href(location) {}

  std::string_view name;
  std::string_view href;
  auto operator<=>(const Place&) const = default;
};

Error invalid(std::string message) {
  return {ErrorKind::invalid, std::move(message), {}};
}

Result<void> check_order(const RepoIndex& index, const MetadataEdit& edit) {
  for (std::size_t i = 0; i < edit.erases.size(); ++i) {
    const auto& erase = edit.erases[i];
    if (i > 0 && erase.position <= edit.erases[i - 1].position)
      return invalid("the erases of the edit are not in order at " + erase.location_href);
    if (erase.position >= index.packages())
      return invalid("the edit erases " + erase.location_href + ", which is not what the index lists there");
  }
  for (std::size_t i = 1; i < edit.inserts.size(); ++i)
    if (Place(edit.inserts[i].location_href) <= Place(edit.inserts[i - 1].location_href))
      return invalid("the inserts of the edit are not in order at " + edit.inserts[i].location_href);
  return {};
}

// Walks through primary to find places that only come later and later.
class PlaceFinder {
public:
  // `gone`: the positions that will be empty.
  PlaceFinder(const SegmentedFile& primary, const std::set<std::size_t>& gone)
      : m_primary(primary), m_gone(gone), m_places(frame_places(primary)), m_reader(primary) {}

  Result<std::size_t> find(const Place& place) {
    for (; m_frame < m_primary.table.frames.size(); leave_frame()) {
      const Frame& frame = m_primary.table.frames[m_frame];
      if (frame.packages == 0 || (!m_loaded && all_before(frame.names, place))) continue;
      if (auto loaded = load(); !loaded) return std::move(loaded).error();
      for (; m_next < m_hrefs.size(); ++m_next) {
        const std::size_t position = m_places[m_frame].first_package + m_next;
        if (!m_gone.contains(position) && Place(m_hrefs[m_next]) > place) return position;
      }
    }
    return m_places.back().first_package;
  }

private:
  static bool all_before(const NameRange& names, const Place& place) {
    return !names.greatest.empty() && names.greatest < place.name.substr(0, names.greatest.size());
  }

  void leave_frame() {
    ++m_frame;
    m_loaded = false;
  }

  Result<void> load() {
    if (std::exchange(m_loaded, true)) return {};
    m_hrefs.clear();
    m_next = 0;
    const auto open = m_reader.open(m_frame);
    if (!open) return open.error();
    const auto spans = scan_packages(*open);
    if (!spans) return spans.error();
    for (const PackageSpan& span : *spans) {
      auto href = read_fragment_href(open->substr(span.begin, span.end - span.begin));
      if (!href) return std::move(href).error();
      m_hrefs.push_back(*std::move(href));
    }
    return {};
  }

  const SegmentedFile& m_primary;
  const std::set<std::size_t>& m_gone;
  std::vector<FramePlace> m_places;
  FrameReader m_reader;
  std::size_t m_frame = 0;
  bool m_loaded = false;  // the frame's hrefs
  std::vector<std::string> m_hrefs;
  std::size_t m_next = 0;
};

bool is_scattered(const RepoIndex& index, std::size_t new_places) {
  return new_places > k_max_scattered && index.files[MetadataKind::primary].table.frames.size() > k_max_scattered + 2;
}

}  // namespace

Result<SplicePlan> plan_splice(const RepoIndex& index, const MetadataEdit& edit) {
  if (auto checked = check_order(index, edit); !checked) return std::move(checked).error();
  SplicePlan plan;
  plan.packages = index.packages() - edit.erases.size() + edit.inserts.size();
  std::map<std::string_view, std::size_t> erased;
  std::set<std::size_t> gone;
  for (const auto& erase : edit.erases) {
    plan.erases.push_back({erase.position, erase.pkgid});
    erased.emplace(erase.location_href, erase.position);
    gone.insert(erase.position);
  }
  const auto replaces = [&](const PackageRecord& record) { return erased.contains(record.location_href); };
  std::size_t new_places = 0;
  std::uint64_t new_bytes = 0;
  for (const auto& record : edit.inserts) {
    if (replaces(record)) {
      gone.erase(erased.at(record.location_href));
      continue;
    }
    ++new_places;
    for (const auto& about : k_metadata_kinds) new_bytes += record.fragments.size(about.kind);
  }
  const bool append = is_scattered(index, new_places) || (new_places > 1 && new_bytes > k_max_in_place);

  PlaceFinder finder(index.files[MetadataKind::primary], gone);
  for (const auto& record : edit.inserts) {
    Result<std::size_t> before = index.packages();
    if (replaces(record))
      before = erased.at(record.location_href);
    else if (!append)
      before = finder.find(Place(record.location_href));
    if (!before) return in_metadata_file(index.repomd, MetadataKind::primary, std::move(before).error());
    plan.inserts.push_back({*before, &record});
  }
  std::ranges::stable_sort(plan.inserts, {}, &SplicePlan::Insert::before);
  return plan;
}

}  // namespace repoupdate
