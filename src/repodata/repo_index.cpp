// SPDX-License-Identifier: Apache-2.0
#include "repodata/repo_index.hpp"

#include <utility>

#include "repodata/fragment_reader.hpp"
#include "repodata/item_reader.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

Result<std::vector<IndexEntry>> read_entries(std::string_view stored_primary) {
  std::vector<IndexEntry> entries;
  ItemReader reader(MetadataKind::primary, stored_primary);
  for (;;) {
    auto item = reader.next();
    if (!item) return std::move(item).error();
    if (!*item) return entries;
    if ((*item)->kind != MetadataItem::Kind::fragment) continue;
    auto entry = read_primary_fragment((*item)->bytes);
    if (!entry) return std::move(entry).error();
    entries.push_back(*std::move(entry));
  }
}

}  // namespace

Result<RepoIndex> read_index(Repomd repomd, std::string_view stored_primary) {
  if (auto checked = check_stored(repomd, MetadataKind::primary, stored_primary); !checked)
    return std::move(checked).error();
  auto entries = read_entries(stored_primary);
  if (!entries) return in_metadata_file(repomd, MetadataKind::primary, std::move(entries).error());
  return RepoIndex{std::move(repomd), *std::move(entries)};
}

}  // namespace repoupdate
