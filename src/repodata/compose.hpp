// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/clock.hpp"
#include "model/metadata_kind.hpp"
#include "model/publication.hpp"
#include "repodata/file_digest.hpp"
#include "repodata/repomd.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

// A metadata file that is ready to be put, with what repomd.xml says about it (invariant I8).
struct WrittenFile {
  SegmentedFile file;
  FileDigest digest;
};

struct Composed {
  Publication publication;
  Repomd repomd;  // as it reads there
};

// The repomd.xml that names the new metadata files. The three records take the places of the old ones; derived
// records are left out, all others stay as they stand (I9). revision and timestamps do not sink (I13).
// `Publication::base` is left empty.
Composed compose_publication(const Repomd& old, const PerKind<WrittenFile>& files, SystemTime now);

}  // namespace repoupdate
