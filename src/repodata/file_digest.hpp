// SPDX-License-Identifier: Apache-2.0
// What repomd.xml states about a metadata file: the digests of its stored and of its open bytes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "model/checksum.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

struct FileDigest {
  Checksum checksum;                      // of the stored bytes
  std::string sha256;                     // hex, of the stored bytes, whatever the type of `checksum`
  std::optional<Checksum> open_checksum;  // of the open bytes
};

// Reads the file once, front to back. With `open`, each frame is decompressed and held against its CRC as well, on
// `threads` threads while one hashes; without, nothing is decompressed. corrupt when a frame is damaged.
Result<FileDigest> digest_file(const SegmentedFile& file, bool open, std::size_t threads);

}  // namespace repoupdate
