// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice.hpp"

#include <utility>

#include "base/parallel.hpp"
#include "repodata/compose.hpp"
#include "repodata/file_splicer.hpp"
#include "repodata/reorder.hpp"
#include "repodata/splice_plan.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

Compression own_compression(const RepomdRecord* record) {
  return record && record->location_href.ends_with(file_suffix(Compression::zstd)) ? Compression::zstd
                                                                                   : Compression::gz;
}

FileSplice describe(MetadataKind kind, std::string_view stored, const RepoIndex& index, const SpliceOptions& options) {
  const RepomdRecord* record = index.repomd.find(kind);
  FileSplice splice;
  splice.kind = kind;
  splice.stored = stored;
  splice.compression = options.compression.value_or(own_compression(record));
  if (record && record->checksum) splice.checksum_type = record->checksum->type;
  return splice;
}

// In one pass where the file lists what primary lists, else by way of a copy in primary's order.
Result<EncodedFile> splice_in_order(FileSplice splice, const RepoIndex& index, const SplicePlan& plan) {
  auto file = splice_file(splice, index, plan);
  if (!file) return std::move(file).error();
  if (*file) return **std::move(file);

  const Error other_packages{ErrorKind::corrupt, "it does not list the packages that the index was read from", {}};
  if (splice.kind == MetadataKind::primary) return other_packages;
  const auto ordered = in_primary_order(splice.kind, splice.stored, index);
  if (!ordered) return ordered.error();
  splice.stored = *ordered;
  file = splice_file(splice, index, plan);
  if (!file) return std::move(file).error();
  if (!*file) return other_packages;
  return **std::move(file);
}

Result<EncodedFile> splice_kind(MetadataKind kind, std::string_view stored, const RepoIndex& index,
                                const SplicePlan& plan, const SpliceOptions& options) {
  if (auto checked = check_stored(index.repomd, kind, stored); !checked) return std::move(checked).error();
  auto file = splice_in_order(describe(kind, stored, index, options), index, plan);
  if (!file) return in_metadata_file(index.repomd, kind, std::move(file).error());
  return file;
}

}  // namespace

Result<Publication> splice(const RepoIndex& index, const PerKind<std::string>& stored, const MetadataEdit& edit,
                           const SpliceOptions& options) {
  const auto plan = plan_splice(index, edit);
  if (!plan) return plan.error();

  PerKind<EncodedFile> files;
  PerKind<std::optional<Error>> errors;
  for_each_parallel(k_metadata_kinds.size(), options.threads, [&](std::size_t i) {
    const MetadataKind kind = k_metadata_kinds[i].kind;
    auto file = splice_kind(kind, stored[kind], index, *plan, options);
    if (file)
      files[kind] = *std::move(file);
    else
      errors[kind] = std::move(file).error();
  });
  for (auto& error : errors.values)
    if (error) return *std::move(error);
  return compose_publication(index.repomd, std::move(files), plan->packages, options.now);
}

}  // namespace repoupdate
