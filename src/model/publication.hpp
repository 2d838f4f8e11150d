// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/object.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// A metadata file of a publication. The key is relative to the repository root.
struct PublishedFile {
  std::string key;
  SharedBytes body;
  std::string sha256;  // hex, of body
  std::string content_type;
  bool named_already = false;  // by the old pointer, too: as after a rebuild of the same packages
};

// The same for what is small.
struct PublishedObject {
  std::string key;
  std::string bytes;
  std::string sha256;  // hex, of bytes
  std::string content_type;
};

// Everything that makes an edit visible, ready to put: checksum-named files in any order, then the pointer.
struct Publication {
  std::vector<PublishedFile> immutable;      // overwrite nothing but what is damaged (I1); cached for ever
  PublishedObject pointer;                   // repomd.xml; never cached
  std::optional<ETag> base;                  // the pointer's ETag that this was planned on; none: must be absent
  std::size_t packages = 0;                  // listed after it
  std::string revision;                      // as repomd.xml states it
  std::vector<std::string> superseded;       // keys named by the old pointer and no longer by this one
  std::vector<std::string> dropped_records;  // types of derived records left out because they would be stale (I9)
};

}  // namespace repoupdate
