// SPDX-License-Identifier: Apache-2.0
#include "repodata/empty_repository.hpp"

#include <utility>

#include "repodata/prolog.hpp"

namespace repoupdate {

StoredRepository empty_repository(Repomd repomd) {
  StoredRepository empty;
  empty.index.repomd = std::move(repomd);
  for (const auto& about : k_metadata_kinds) {
    std::string& stored = empty.stored[about.kind];
    stored = empty_document(about.kind);
    // The record goes on naming the old file, which will be superseded, but describes the empty one.
    for (RepomdRecord& record : empty.index.repomd.records) {
      if (record.type != about.name) continue;
      const HashType type = record.checksum ? record.checksum->type : HashType::sha256;
      record.checksum = record.open_checksum = Checksum{type, hash_hex(type, stored)};
      record.size = record.open_size = stored.size();
    }
  }
  return empty;
}

}  // namespace repoupdate
