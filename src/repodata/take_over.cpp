// SPDX-License-Identifier: Apache-2.0
#include "repodata/take_over.hpp"

#include <memory>
#include <utility>

#include "repodata/item_reader.hpp"
#include "repodata/reorder.hpp"
#include "repodata/segment_container.hpp"
#include "repodata/segmenter.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_usual_ratio = 10;  // of open to stored size, where repomd.xml does not say

Result<SegmentedFile> cut(const Repomd& repomd, const TakeOver& take_over, const ItemSource& source, Scratch& scratch) {
  SegmentedFile file = describe_file(repomd, take_over.kind, take_over.compression);
  file.sizes = take_over.sizes;
  const auto into = scratch.create();
  if (!into) return into.error();
  const RepomdRecord* record = repomd.find(take_over.kind);
  const std::uint64_t open_size =
      record && record->open_size ? *record->open_size : take_over.stored->size() * k_usual_ratio;
  const Segmenting segmenting{file.kind, file.compression,
                              file.sizes.value_or(segment_sizes(file.compression, open_size)), take_over.threads};
  auto table = segment_document(segmenting, source, [&](std::string_view bytes) { return (*into)->append(bytes); });
  if (!table) return in_metadata_file(repomd, take_over.kind, std::move(table).error());
  file.table = *std::move(table);
  file.stored = *into;
  return file;
}

}  // namespace

SegmentedFile describe_file(const Repomd& repomd, MetadataKind kind, std::optional<Compression> compression) {
  const RepomdRecord* record = repomd.find(kind);
  const bool is_zstd = record && record->location_href.ends_with(file_suffix(Compression::zstd));
  SegmentedFile file;
  file.kind = kind;
  file.compression = compression.value_or(is_zstd ? Compression::zstd : Compression::gz);
  if (record && record->checksum) file.checksum_type = record->checksum->type;
  return file;
}

Result<std::optional<SegmentedFile>> open_segments(const Repomd& repomd, const TakeOver& take_over) {
  auto found = find_segment_table(*take_over.stored);
  if (!found) return std::move(found).error();
  SegmentedFile file = describe_file(repomd, take_over.kind, take_over.compression);
  file.sizes = take_over.sizes;
  if (!*found || (*found)->compression != file.compression) return std::optional<SegmentedFile>();
  file.stored = take_over.stored;
  file.first_frame = (*found)->first_frame;
  file.table = std::move((*found)->table);
  return std::optional(std::move(file));
}

Result<SegmentedFile> cut_segments(const Repomd& repomd, const TakeOver& take_over, Scratch& scratch) {
  ItemReader reader(take_over.kind, take_over.stored);
  return cut(
      repomd, take_over, [&] { return reader.next(); }, scratch);
}

Result<SegmentedFile> cut_segments_in_order(const Repomd& repomd, const TakeOver& take_over,
                                            const SegmentedFile& primary, Scratch& scratch) {
  auto items = OrderedItems::read(take_over.kind, take_over.stored, primary, scratch);
  if (!items) return in_metadata_file(repomd, take_over.kind, std::move(items).error());
  return cut(
      repomd, take_over, [&] { return items->next(); }, scratch);
}

}  // namespace repoupdate
