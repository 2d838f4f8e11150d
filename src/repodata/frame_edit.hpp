// SPDX-License-Identifier: Apache-2.0
// Packages are taken out of a frame and put into it; what of its segments stays as it is stored is found out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repodata/frame_draft.hpp"
#include "repodata/segment_sizes.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

// What is to be done in adjacent frames. Packages are counted from the first that begins in them.
struct FrameEdit {
  struct Erase {
    std::size_t package;
    std::string_view pkgid;  // that must be found there
  };
  struct Insert {
    std::size_t before;         // their number: behind the last
    std::string_view fragment;  // ending in '\n'
  };
  std::vector<Erase> erases;    // ascending
  std::vector<Insert> inserts;  // ascending
};

// Adjacent frames of the old file.
struct OldFrames {
  struct Frame {
    std::span<const Segment> segments;  // none: to be compressed anew as a whole
    std::uint64_t offset = 0;           // in the stored file
    std::size_t open_size = 0;
  };
  std::vector<Frame> frames;
  std::string open;  // the bytes of all of them
};

struct EditedFrames {
  std::string open;                // what the drafts are views into
  std::vector<DraftFrame> drafts;  // none when no package is left
};

// Applies `edit` to `old`. An erased package takes the rest of its line with it, and
// the last one of the frames all that is left in them; an inserted one begins a line, as far as that can be seen
// from here; all other bytes stay (I6). invalid when an erased package has another pkgid.
Result<EditedFrames> edit_frames(MetadataKind kind, const OldFrames& old, const FrameEdit& edit,
                                 const SegmentSizes& sizes);

}  // namespace repoupdate
