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
  KeptFrames kept;                        // all frames, if they were to be kept
};

struct DigestOptions {
  bool open = true;   // digest the open bytes too
  bool keep = false;  // keep the frames, which have been read anyway; without `open`, none is
  std::size_t threads = 1;
};

// Reads the file once, front to back. With `open`, each frame that is not kept is decompressed and held against its CRC as
// well, on `threads` threads while one hashes; without, nothing is decompressed. corrupt when a frame is damaged.
Result<FileDigest> digest_file(const SegmentedFile& file, const DigestOptions& options);

}  // namespace repoupdate
