// SPDX-License-Identifier: Apache-2.0
#include "repodata/index_proof.hpp"

#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/in_order.hpp"
#include "base/parallel.hpp"
#include "model/location_href.hpp"
#include "repodata/fragment_reader.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/prolog.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}

// What one frame lists.
struct FrameListing {
  std::string pkgids;  // each followed by '\n'
  NevraHashes nevras;
};

// What one file lists.
struct FileListing {
  std::string pkgids;  // digest of all of them in order
  NevraHashes nevras;
};

Result<void> add_primary_package(std::string_view fragment, const Frame& frame, FrameListing& listing) {
  const auto entry = read_primary_fragment(fragment);
  if (!entry) return entry.error();
  if (!frame.names.may_hold(basename_of(entry->location_href)))
    return corrupt("a file name is not within the bounds of its frame");
  listing.pkgids.append(entry->pkgid).push_back('\n');
  listing.nevras.push_back(hash_of(entry->nevra));
  return {};
}

// Whether each segment begins between packages and has as many as it says.
bool segments_hold(const Frame& frame, const std::vector<PackageSpan>& spans) {
  auto span = spans.begin();
  std::size_t end = 0;
  for (const Segment& segment : frame.segments) {
    end += segment.open_size;
    const auto first = span;
    while (span != spans.end() && span->end <= end) ++span;
    if (std::distance(first, span) != segment.packages) return false;
    if (span != spans.end() && span->begin < end) return false;
  }
  return true;
}

Result<FrameListing> list_frame(MetadataKind kind, const Frame& frame, std::string_view open) {
  const auto spans = scan_packages(open);
  if (!spans) return spans.error();
  if (spans->size() != frame.packages || !segments_hold(frame, *spans))
    return corrupt("a frame has another number of packages than its table says");
  FrameListing listing;
  for (const PackageSpan& span : *spans) {
    const std::string_view fragment = open.substr(span.begin, span.end - span.begin);
    if (kind == MetadataKind::primary) {
      if (auto added = add_primary_package(fragment, frame, listing); !added) return std::move(added).error();
    } else {
      const auto pkgid = read_fragment_pkgid(fragment);
      if (!pkgid) return pkgid.error();
      listing.pkgids.append(*pkgid).push_back('\n');
    }
  }
  return listing;
}

// Whether `open` begins with a prolog, behind which a package may follow.
Result<void> check_prolog(MetadataKind kind, std::string_view open) {
  FragmentScanner scanner(kind);
  scanner.feed(open);
  const auto item = scanner.next();
  if (!item) return item.error();
  if (!*item) return corrupt("its first frame is not the prolog");
  const auto prolog = read_prolog(kind, (*item)->bytes);
  if (!prolog) return prolog.error();
  const auto behind = scan_packages(open.substr((*item)->bytes.size()));
  if (!behind) return behind.error();
  if (prolog->root_was_empty || !behind->empty()) return corrupt("its first frame is more than the prolog");
  return {};
}

// The first and the last frame are a document of their own, without packages.
Result<void> check_ends(const SegmentedFile& file) {
  const auto& frames = file.table.frames;
  FrameReader reader(file);
  auto open = reader.open(0);
  if (!open) return std::move(open).error();
  if (auto checked = check_prolog(file.kind, *open); !checked) return checked;
  FragmentScanner scanner(file.kind);
  scanner.feed(*open);
  open = reader.open(frames.size() - 1);
  if (!open) return std::move(open).error();
  scanner.feed(*open);
  scanner.finish();
  for (;;) {
    const auto item = scanner.next();
    if (!item) return item.error();
    if (!*item) return {};
    if ((*item)->kind == MetadataItem::Kind::fragment) return corrupt("there is a package in its last frame");
  }
}

Result<FileListing> list_file(const SegmentedFile& file, std::size_t threads) {
  if (auto checked = check_ends(file); !checked) return std::move(checked).error();
  std::size_t next = 1;
  const auto take = [&]() -> Result<std::optional<std::size_t>> {
    return next + 1 < file.table.frames.size() ? std::optional(next++) : std::nullopt;
  };
  const auto make_work = [&] {
    return [&, reader = std::make_shared<FrameReader>(file)](std::size_t i) -> Result<FrameListing> {
      const auto open = reader->open(i);
      if (!open) return open.error();
      return list_frame(file.kind, file.table.frames[i], *open);
    };
  };
  FileListing listing;
  Hasher pkgids(HashType::sha256);
  const auto put = [&](FrameListing frame) -> Result<void> {
    pkgids.update(frame.pkgids);
    listing.nevras.insert(listing.nevras.end(), frame.nevras.begin(), frame.nevras.end());
    return {};
  };
  if (auto done = process_in_order(threads, take, make_work, put); !done) return std::move(done).error();
  listing.pkgids = pkgids.finish();
  return listing;
}

}  // namespace

Result<void> prove(RepoIndex& index, std::size_t threads) {
  PerKind<Result<FileListing>> listings{{FileListing{}, FileListing{}, FileListing{}}};
  for_each_parallel(k_metadata_kinds.size(), threads, [&](std::size_t i) {
    const MetadataKind kind = k_metadata_kinds[i].kind;
    listings[kind] = list_file(index.files[kind], threads);
  });
  const auto& primary = listings[MetadataKind::primary];
  for (const auto& about : k_metadata_kinds) {
    auto& listing = listings[about.kind];
    if (!listing) return in_metadata_file(index.repomd, about.kind, std::move(listing).error());
    if (listing->pkgids != primary->pkgids)
      return in_metadata_file(index.repomd, about.kind,
                              corrupt("it does not list the packages of primary in its order"));
  }
  index.nevras = std::make_shared<NevraHashes>(std::move(listings[MetadataKind::primary]->nevras));
  index.proven = true;
  return {};
}

}  // namespace repoupdate
