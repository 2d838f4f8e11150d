// SPDX-License-Identifier: Apache-2.0
// Open bytes on their way to a frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/segment_table.hpp"

namespace repoupdate {

// A part of a draft that becomes one segment: compressed anew, or copied from where it stands.
struct DraftSegment {
  std::size_t begin = 0;  // in DraftFrame::open
  std::size_t end = 0;
  std::uint32_t packages = 0;
  std::uint64_t copy_offset = 0;  // in the old file
  std::uint32_t copy_size = 0;    // 0: compress
};

struct DraftFrame {
  std::string_view open;
  std::vector<DraftSegment> segments;  // side by side, all of `open`
  NameRange names;
};

// A frame as it is stored: new bytes, and parts of the old file.
struct NewFrame {
  Frame row;
  struct Part {
    std::string bytes;              // new ones, or
    std::uint64_t copy_offset = 0;  // so many bytes of the old file
    std::uint64_t copy_size = 0;
  };
  std::vector<Part> parts;
};

NewFrame encode_frame(const DraftFrame& draft, FrameEncoder& encoder, Compression compression);

// The range of the file names in the packages that begin at `packages`, for primary; unknown for the others and
// when one of them cannot be read.
NameRange name_range(MetadataKind kind, std::string_view open, const std::vector<std::size_t>& packages);

// The segments that begin at `begins` (ascending) and fill the bytes up to `end`, to be compressed.
std::vector<DraftSegment> draft_segments(const std::vector<std::size_t>& begins, std::size_t end,
                                         const std::vector<std::size_t>& starts);

// Cuts the open bytes from `begin` to `end`, in which the packages begin at `starts` (ascending, of the whole), into
// pieces of about `size`: each has a package, each but the first begins with one, and none is larger than twice
// `size` unless a single package is. The offsets where pieces begin.
std::vector<std::size_t> cut_evenly(std::size_t begin, std::size_t end, const std::vector<std::size_t>& starts,
                                    std::size_t size);

}  // namespace repoupdate
