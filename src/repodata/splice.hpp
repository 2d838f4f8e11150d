// SPDX-License-Identifier: Apache-2.0
// Edit in, publication out: packages are put into and taken out of the metadata files without parsing, and without
// compressing anew, what stays.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "model/publication.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

struct SpliceOptions {
  SystemTime now{};           // for revision and timestamps
  bool open_checksum = true;  // state <open-checksum>: costs decompressing and hashing everything; no client reads it
  std::size_t threads = k_metadata_kinds.size();
  // Stored and open bytes of all files together, up to which the frames stay in memory with the index, so that the next
  // edit need not decompress them.
  std::uint64_t keep_up_to = 0;
};

struct Spliced {
  Publication publication;
  RepoIndex index;  // of the repository once that is published; proven
};

// Applies `edit` to the repository of `index`, which must be proven. The same arguments give the same bytes.
//
// Promises: untouched fragments and the bytes between them stay as they are (I6). The three files list the same pkgids
// in the same order and `packages=` is their number (I7). What was written is read back: new frames always, and
// with open_checksum every frame. Checksum types, tags, revision scheme and unknown records are kept (I9, semantics
// 27). Revision and timestamps only grow (I13). `Publication::base` is left empty.
//
// corrupt: stored bytes that are not what they were when the index was proven; invalid: an edit that does not fit the
// index. Both name the file.
Result<Spliced> splice(const RepoIndex& index, const MetadataEdit& edit, const SpliceOptions& options);

}  // namespace repoupdate
