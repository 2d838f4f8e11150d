// SPDX-License-Identifier: Apache-2.0
#include "repodata/primary_listing.hpp"

#include <string_view>
#include <utility>

#include "model/location_href.hpp"
#include "repodata/fragment_reader.hpp"
#include "repodata/item_reader.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

Result<bool> is_wanted(std::string_view fragment, const std::set<std::string>* names) {
  if (!names) return true;
  const auto href = read_fragment_href(fragment);
  if (!href) return href.error();
  return names->contains(std::string(basename_of(*href)));
}

Result<PrimaryListing> read_items(const SharedBytes& stored, const std::set<std::string>* names) {
  PrimaryListing listing;
  ItemReader reader(MetadataKind::primary, stored);
  for (;;) {
    const auto item = reader.next();
    if (!item) return item.error();
    if (!*item) return listing;
    if ((*item)->kind != MetadataItem::Kind::fragment) continue;
    const auto wanted = is_wanted((*item)->bytes, names);
    if (!wanted) return wanted.error();
    if (*wanted) {
      auto entry = read_primary_fragment((*item)->bytes);
      if (!entry) return std::move(entry).error();
      listing.packages.push_back({listing.total, *std::move(entry)});
    }
    ++listing.total;
  }
}

}  // namespace

Result<PrimaryListing> read_primary(const Repomd& repomd, const SharedBytes& stored,
                                    const std::set<std::string>* names) {
  if (auto checked = check_stored(repomd, MetadataKind::primary, *stored); !checked) return std::move(checked).error();
  auto listing = read_items(stored, names);
  if (!listing) return in_metadata_file(repomd, MetadataKind::primary, std::move(listing).error());
  return listing;
}

}  // namespace repoupdate
