// SPDX-License-Identifier: Apache-2.0
#include "repodata/repo_index.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>

#include "base/in_order.hpp"
#include "model/location_href.hpp"
#include "repodata/fragment_reader.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

// Whether the package at `position` is wanted, as far as its position and its fragment's href tell.
using Wanted = std::function<bool(std::size_t position, std::string_view fragment)>;

Result<std::vector<ListedPackage>> read_frame(FrameReader& reader, std::size_t frame, std::size_t first_package,
                                              const Wanted& wanted) {
  const auto open = reader.open(frame);
  if (!open) return open.error();
  const auto spans = scan_packages(*open);
  if (!spans) return spans.error();
  std::vector<ListedPackage> found;
  std::size_t position = first_package;
  for (const PackageSpan& span : *spans) {
    const std::string_view fragment = open->substr(span.begin, span.end - span.begin);
    if (wanted(position, fragment)) {
      auto entry = read_primary_fragment(fragment);
      if (!entry) return std::move(entry).error();
      found.push_back({position, *std::move(entry)});
    }
    ++position;
  }
  return found;
}

Result<std::vector<ListedPackage>> read_frames(const RepoIndex& index, const std::vector<std::size_t>& frames,
                                               const Wanted& wanted, std::size_t threads) {
  const SegmentedFile& primary = index.files[MetadataKind::primary];
  const auto places = frame_places(primary);
  std::size_t next = 0;
  const auto take = [&]() -> Result<std::optional<std::size_t>> {
    return next < frames.size() ? std::optional(frames[next++]) : std::nullopt;
  };
  const auto make_work = [&] {
    return [&, reader = std::make_shared<FrameReader>(primary)](std::size_t i) {
      return read_frame(*reader, i, places[i].first_package, wanted);
    };
  };
  std::vector<ListedPackage> found;
  const auto put = [&](std::vector<ListedPackage> some) -> Result<void> {
    std::ranges::move(some, std::back_inserter(found));
    return {};
  };
  auto done = process_in_order(std::min(threads, frames.size()), take, make_work, put);
  if (!done) return in_metadata_file(index.repomd, MetadataKind::primary, std::move(done).error());
  return found;
}

// The frames that hold packages and of which `may_hold` is true.
template <typename MayHold>
std::vector<std::size_t> select_frames(const RepoIndex& index, MayHold may_hold) {
  const auto& frames = index.files[MetadataKind::primary].table.frames;
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < frames.size(); ++i)
    if (frames[i].packages > 0 && may_hold(i)) selected.push_back(i);
  return selected;
}

}  // namespace

std::uint32_t hash_of(const Nevra& nevra) {
  std::string text;
  for (const auto* part : {&nevra.name, &nevra.epoch, &nevra.version, &nevra.release, &nevra.arch})
    text.append(*part).push_back('\0');
  return static_cast<std::uint32_t>(std::hash<std::string>()(text));
}

Result<std::vector<ListedPackage>> find_packages(const RepoIndex& index, const std::set<std::string>& names,
                                                 std::size_t threads) {
  const auto& frames = index.files[MetadataKind::primary].table.frames;
  const auto may_hold = [&](std::size_t i) {
    return std::ranges::any_of(names, [&](const std::string& name) { return frames[i].names.may_hold(name); });
  };
  const auto wanted = [&](std::size_t, std::string_view fragment) {
    const auto href = read_fragment_href(fragment);
    return !href || names.contains(std::string(basename_of(*href)));  // what cannot be read is reported by the reader
  };
  return read_frames(index, select_frames(index, may_hold), wanted, threads);
}

Result<std::vector<ListedPackage>> find_packages(const RepoIndex& index, const std::set<Nevra>& nevras,
                                                 std::size_t threads) {
  std::set<std::uint32_t> hashes;
  for (const Nevra& nevra : nevras) hashes.insert(hash_of(nevra));
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < index.nevras->size(); ++i)
    if (hashes.contains((*index.nevras)[i])) positions.push_back(i);
  const auto places = frame_places(index.files[MetadataKind::primary]);
  const auto may_hold = [&](std::size_t i) {
    const auto first = std::ranges::lower_bound(positions, places[i].first_package);
    return first != positions.end() && *first < places[i + 1].first_package;
  };
  const auto wanted = [&](std::size_t position, std::string_view) {
    return std::ranges::binary_search(positions, position);
  };
  auto found = read_frames(index, select_frames(index, may_hold), wanted, threads);
  if (found) std::erase_if(*found, [&](const ListedPackage& package) { return !nevras.contains(package.entry.nevra); });
  return found;
}

Result<std::vector<ListedPackage>> list_packages(const RepoIndex& index, std::size_t threads) {
  return read_frames(
      index, select_frames(index, [](std::size_t) { return true; }), [](std::size_t, std::string_view) { return true; },
      threads);
}

}  // namespace repoupdate
