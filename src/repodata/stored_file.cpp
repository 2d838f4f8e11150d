// SPDX-License-Identifier: Apache-2.0
#include "repodata/stored_file.hpp"

#include <utility>

namespace repoupdate {

std::string metadata_key(const Repomd& repomd, MetadataKind kind) {
  const RepomdRecord* record = repomd.find(kind);
  return record ? record->location_href : std::string(info(kind).name);
}

Result<std::string> hash_stored(const StoredBytes& stored, HashType type) {
  Hasher hasher(type);
  const auto read = read_through(stored, [&](std::string_view piece) -> Result<void> {
    hasher.update(piece);
    return {};
  });
  if (!read) return read.error();
  return hasher.finish_hex();
}

Result<void> check_stored(const Repomd& repomd, MetadataKind kind, const StoredBytes& stored) {
  const RepomdRecord* record = repomd.find(kind);
  if (!record) return {};
  const auto fail = [&](std::string what) {
    return in_metadata_file(repomd, kind, {ErrorKind::corrupt, std::move(what), {}});
  };
  if (record->size && *record->size != stored.size())
    return fail("has " + std::to_string(stored.size()) + " bytes, repomd.xml says " + std::to_string(*record->size));
  if (!record->checksum) return {};
  const auto digest = hash_stored(stored, record->checksum->type);
  if (!digest) return digest.error();
  if (*digest != record->checksum->hex)
    return fail("its " + std::string(to_string(record->checksum->type)) + " is not the one in repomd.xml");
  return {};
}

Error in_metadata_file(const Repomd& repomd, MetadataKind kind, Error error) {
  error.message += "; `repoupdate update --rebuild` makes the metadata anew from the packages";
  return std::move(error).within(metadata_key(repomd, kind));
}

}  // namespace repoupdate
