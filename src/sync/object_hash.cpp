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

}  // namespace repoupdate
