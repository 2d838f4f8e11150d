// SPDX-License-Identifier: Apache-2.0
#include "sync/object_hash.hpp"

namespace repoupdate {

Result<std::string> hash_object(ObjectStore& store, std::string_view key, const GetOptions& options, HashType type) {
  Hasher hasher(type);
  const auto take = [&](std::string_view bytes) -> Result<void> {
    hasher.update(bytes);
    return {};
  };
  const auto read = store.read(key, options, take);
  if (!read) return read.error();
  return hasher.finish_hex();
}

}  // namespace repoupdate
