// SPDX-License-Identifier: Apache-2.0
#include "repodata/compose.hpp"

#include <algorithm>
#include <utility>

namespace repoupdate {
namespace {

constexpr std::string_view k_metadata_prefix = "repodata/";
constexpr std::string_view k_xml_content_type = "application/xml";

RepomdRecord make_record(MetadataKind kind, const WrittenFile& written, std::int64_t timestamp) {
  RepomdRecord record;
  record.type = info(kind).name;
  record.location_href = std::string(k_metadata_prefix) + written.digest.checksum.hex + '-' + record.type + ".xml" +
                         std::string(file_suffix(written.file.compression));
  record.checksum = written.digest.checksum;
  record.open_checksum = written.digest.open_checksum;
  record.size = written.file.stored->size();
  record.open_size = written.file.table.open_size();
  record.timestamp = timestamp;
  return record;
}

const MetadataKindInfo* kind_of(const RepomdRecord& record) {
  const auto* found = std::find_if(k_metadata_kinds.begin(), k_metadata_kinds.end(),
                                   [&](const auto& about) { return about.name == record.type; });
  return found == k_metadata_kinds.end() ? nullptr : found;
}

std::vector<RepomdRecord> renew_records(const Repomd& old, const PerKind<WrittenFile>& files, SystemTime now) {
  const std::int64_t timestamp = std::max<std::int64_t>(now.time_since_epoch().count(), old.newest_timestamp());
  std::vector<RepomdRecord> records;
  for (const auto& about : k_metadata_kinds)
    if (!old.find(about.kind)) records.push_back(make_record(about.kind, files[about.kind], timestamp));
  for (const RepomdRecord& record : old.records) {
    if (const auto* about = kind_of(record))
      records.push_back(make_record(about->kind, files[about->kind], timestamp));
    else if (!is_derived_record(record.type))
      records.push_back(record);
  }
  return records;
}

// Keys that the old repomd.xml named for what is replaced or dropped, but the new one names no more. Only metadata:
// whatever the old one says, no package is ever superseded.
std::vector<std::string> superseded_keys(const Repomd& old, const Repomd& renewed) {
  std::vector<std::string> keys;
  for (const RepomdRecord& record : old.records) {
    const bool ours = record.location_base.empty() && record.location_href.starts_with(k_metadata_prefix);
    if (!ours || record.location_href == k_repomd_key) continue;
    const bool still_named =
        std::any_of(renewed.records.begin(), renewed.records.end(),
                    [&](const RepomdRecord& other) { return other.location_href == record.location_href; });
    if (!still_named) keys.push_back(record.location_href);
  }
  return keys;
}

}  // namespace

Composed compose_publication(const Repomd& old, const PerKind<WrittenFile>& files, SystemTime now) {
  Composed composed{{}, old};
  Repomd& renewed = composed.repomd;
  renewed.revision = next_revision(old.revision, now);
  renewed.records = renew_records(old, files, now);

  Publication& publication = composed.publication;
  publication.packages = files[MetadataKind::primary].file.table.packages();
  publication.revision = renewed.revision;
  publication.superseded = superseded_keys(old, renewed);
  for (const RepomdRecord& record : old.records)
    if (is_derived_record(record.type)) publication.dropped_records.push_back(record.type);
  for (const auto& about : k_metadata_kinds) {
    const WrittenFile& written = files[about.kind];
    const std::string& href = renewed.find(about.kind)->location_href;
    const RepomdRecord* before = old.find(about.kind);
    publication.immutable.push_back({href, written.file.stored, written.digest.sha256,
                                     std::string(content_type(written.file.compression)),
                                     before && before->location_href == href});
  }
  std::string repomd = write_repomd(renewed);
  std::string sha256 = sha256_hex(repomd);
  publication.pointer = {std::string(k_repomd_key), std::move(repomd), std::move(sha256),
                         std::string(k_xml_content_type)};
  return composed;
}

}  // namespace repoupdate
