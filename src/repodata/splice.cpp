// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/parallel.hpp"
#include "repodata/compose.hpp"
#include "repodata/file_digest.hpp"
#include "repodata/file_splicer.hpp"
#include "repodata/splice_plan.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

// Stored and open. The frames of a third file in flight take little memory up to here.
constexpr std::uint64_t k_small_repository = 64U << 20;

// Of all files after the edit, stored and open, or a little more.
std::uint64_t size_after(const RepoIndex& index, const MetadataEdit& edit) {
  std::uint64_t size = 0;
  for (const SegmentedFile& file : index.files.values) size += file.table.stored_size() + file.table.open_size();
  for (const PackageRecord& record : edit.inserts)
    for (const auto& about : k_metadata_kinds) size += record.fragments.size(about.kind);
  return size;
}

Result<WrittenFile> splice_kind(const SegmentedFile& file, const SplicePlan& plan, const SpliceOptions& options,
                                bool keep) {
  auto spliced = splice_file(file, plan, options.threads);
  if (!spliced) return std::move(spliced).error();
  auto digest = digest_file(*spliced, {.open = options.open_checksum, .keep = keep, .threads = options.threads});
  if (!digest) return std::move(digest).error();
  spliced->kept = std::move(digest->kept);
  return WrittenFile{*std::move(spliced), *std::move(digest)};
}

// The NEVRAs by position after the edit.
std::shared_ptr<const NevraHashes> edited_nevras(const NevraHashes& old, const SplicePlan& plan) {
  auto edited = std::make_shared<NevraHashes>();
  edited->reserve(plan.packages);
  auto erase = plan.erases.begin();
  auto insert = plan.inserts.begin();
  for (std::size_t position = 0; position <= old.size(); ++position) {
    for (; insert != plan.inserts.end() && insert->before == position; ++insert)
      edited->push_back(hash_of(insert->record->nevra));
    const bool erased = erase != plan.erases.end() && erase->position == position;
    if (erased) ++erase;
    if (!erased && position < old.size()) edited->push_back(old[position]);
  }
  return edited;
}

}  // namespace

Result<Spliced> splice(const RepoIndex& index, const MetadataEdit& edit, const SpliceOptions& options) {
  const auto plan = plan_splice(index, edit);
  if (!plan) return plan.error();

  const std::uint64_t size = size_after(index, edit);
  const bool keep = size <= options.keep_up_to;
  PerKind<WrittenFile> files;
  // Of small repositories all three at once: the few frames of one that begins late would keep one core busy.
  const bool at_once = options.threads > 1 && size <= k_small_repository;
  const std::size_t files_at_once = at_once ? k_metadata_kinds.size() : options.threads;
  auto written = try_each_parallel(k_metadata_kinds.size(), files_at_once, [&](std::size_t i) -> Result<void> {
    const MetadataKind kind = k_metadata_kinds[i].kind;
    auto file = splice_kind(index.files[kind], *plan, options, keep);
    if (!file) return in_metadata_file(index.repomd, kind, std::move(file).error());
    files[kind] = *std::move(file);
    return {};
  });
  if (!written) return std::move(written).error();

  Spliced spliced;
  spliced.index.proven = true;
  spliced.index.nevras = edited_nevras(*index.nevras, *plan);
  Composed composed = compose_publication(index.repomd, files, options.now);
  spliced.index.repomd = std::move(composed.repomd);
  spliced.publication = std::move(composed.publication);
  for (const auto& about : k_metadata_kinds) spliced.index.files[about.kind] = std::move(files[about.kind].file);
  return spliced;
}

}  // namespace repoupdate
