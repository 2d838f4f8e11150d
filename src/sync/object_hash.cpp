// SPDX-License-Identifier: Apache-2.0
#include "sync/object_hash.hpp"

namespace repoupdate {

Result<std::string> hash_object(ObjectStore& store, std::string_view key, const GetOptions& options, HashType type) {
  for (bool again = false;; again = true) {
    Hasher hasher(type);
    const auto take = [&](std::string_view bytes) -> Result<void> {
      hasher.update(bytes);
      return {};
    };
    const auto read = store.read(key, options, take);
    if (read) return hasher.finish_hex();
    if (again || read.error().kind != ErrorKind::corrupt) return read.error();
  }
}

Result<bool> has_bytes(ObjectStore& store, std::string_view key, const ObjectInfo& there, std::uint64_t size,
                       const std::string& sha256) {
  if (there.size != size) return false;
  if (there.sha256) return *there.sha256 == sha256;
  const auto digest = hash_object(store, key, {.if_match = there.etag}, HashType::sha256);
  if (!digest) return digest.error();
  return *digest == sha256;
}

}  // namespace repoupdate
