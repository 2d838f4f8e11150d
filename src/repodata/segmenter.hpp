// SPDX-License-Identifier: Apache-2.0
// Any metadata document into frames: what happens once to a file that another tool wrote, or that is to be
// compressed in another way.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "repodata/compression.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/frame_draft.hpp"
#include "repodata/segment_sizes.hpp"
#include "repodata/segment_table.hpp"

namespace repoupdate {

// The items of a document, one after the other; nothing at the end.
using ItemSource = std::function<Result<std::optional<MetadataItem>>()>;

struct Segmenting {
  MetadataKind kind = MetadataKind::primary;
  Compression compression = Compression::gz;
  SegmentSizes sizes;
  std::size_t threads = 1;
};

// Gives the frames to `sink`, one behind the other, and returns their table. A root that was empty (`<metadata/>`)
// is opened; all other open bytes stay. Memory: a few frames for each thread. Errors are the source's and the sink's,
// and unsupported when the prolog cannot be edited.
Result<SegmentTable> segment_document(const Segmenting& segmenting, const ItemSource& source,
                                      const std::function<Result<void>(std::string_view)>& sink);

}  // namespace repoupdate
