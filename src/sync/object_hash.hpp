// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

// The digest (hex) of a whole object, by streaming it once; twice when it arrives damaged.
Result<std::string> hash_object(ObjectStore& store, std::string_view key, const GetOptions& options, HashType type);

}  // namespace repoupdate
