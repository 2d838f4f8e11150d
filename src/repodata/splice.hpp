// SPDX-License-Identifier: Apache-2.0
// Edit in, publication out: fragments are inserted into and erased from the metadata files without
// parsing the packages that stay.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/metadata_edit.hpp"
#include "model/metadata_kind.hpp"
#include "model/publication.hpp"
#include "repodata/compression.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

struct SpliceOptions {
  SystemTime now{};                        // for revision and timestamps
  std::optional<Compression> compression;  // none: the repository's own; gz where that is xz, bz2 or plain
  std::size_t threads = k_metadata_kinds.size();
};

// Applies `edit` to the repository whose metadata files are `stored` (compressed, as repomd names them) and that
// `index` was read from. The same arguments give the same bytes.
//
// Promises: untouched fragments and the bytes between them stay as they are (I6). The three files list the same pkgids
// in the same order and `packages=` is their number (I7); files that come in another order than
// primary are put into primary's. Checksum types, tags, revision scheme and unknown records are kept (I9, semantics
// 27). Revision and timestamps only grow (I13). `Publication::base` is left empty.
//
// corrupt: stored bytes that are not what repomd says, that cannot be read, or that do not list the same
// packages (semantics 28); unsupported: XML that cannot be edited in place. Both name the file and the way out.
// invalid: an edit that does not fit the index, or one that would list an href twice.
Result<Publication> splice(const RepoIndex& index, const PerKind<std::string>& stored, const MetadataEdit& edit,
                           const SpliceOptions& options);

}  // namespace repoupdate
