// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "base/clock.hpp"
#include "model/metadata_kind.hpp"
#include "model/publication.hpp"
#include "repodata/encoder.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {

// New metadata files and the repomd.xml that names them. The three records take the places of the old ones; derived
// records are left out, all others stay as they stand (I9). revision and timestamps do not sink (I13).
// `Publication::base` is left empty.
Publication compose_publication(const Repomd& old, PerKind<EncodedFile> files, std::size_t packages, SystemTime now);

}  // namespace repoupdate
