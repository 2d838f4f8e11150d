// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

// The digest (hex) of a whole object, by streaming it once; twice when it arrives damaged.
Result<std::string> hash_object(ObjectStore& store, std::string_view key, const GetOptions& options, HashType type);

// Whether the object, which `there` describes, has the bytes of that size and SHA-256 (hex). Downloads it only when the
// store cannot tell.
Result<bool> has_bytes(ObjectStore& store, std::string_view key, const ObjectInfo& there, std::uint64_t size,
                       const std::string& sha256);

}  // namespace repoupdate
