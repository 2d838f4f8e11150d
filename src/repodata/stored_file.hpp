// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {

// The key of a metadata file relative to the repository root, or the kind's name when no record names it.
std::string metadata_key(const Repomd& repomd, MetadataKind kind);

// Reads all of it. Hex.
Result<std::string> hash_stored(const StoredBytes& stored, HashType type);

// Nothing is built on bytes that are not what repomd.xml says (semantics 28): compares size and checksum, where they
// are stated. corrupt, with the file's key.
Result<void> check_stored(const Repomd& repomd, MetadataKind kind, const StoredBytes& stored);

// A failure inside of a metadata file as its reader should see it: with the file's key and the way out.
Error in_metadata_file(const Repomd& repomd, MetadataKind kind, Error error);

}  // namespace repoupdate
