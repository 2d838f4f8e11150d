// SPDX-License-Identifier: Apache-2.0
// A stored metadata file, of whatever origin, into one whose frames are known.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "model/scratch.hpp"
#include "model/stored_bytes.hpp"
#include "repodata/repomd.hpp"
#include "repodata/segmented_file.hpp"

namespace repoupdate {

struct TakeOver {
  MetadataKind kind = MetadataKind::primary;
  SharedBytes stored;
  std::optional<Compression> compression;  // to be had; none: its own, gz where that is xz, bz2 or plain
  std::size_t threads = 1;
  std::optional<SegmentSizes> sizes;  // none: segment_sizes()
};

// How the file of this kind is written from now on, without bytes and frames: checksum type as repomd states it, and
// compression as TakeOver says.
SegmentedFile describe_file(const Repomd& repomd, MetadataKind kind, std::optional<Compression> compression);

// By the segment table that the file carries. Nothing when it has none that fits, or is compressed in another way
// than is wanted. Costs two or three reads; what the table says is not proven.
Result<std::optional<SegmentedFile>> open_segments(const Repomd& repomd, const TakeOver& take_over);

// By cutting it anew into a scratch file, compressed on all threads. corrupt or unsupported when it cannot be read or
// edited; the message names the file.
Result<SegmentedFile> cut_segments(const Repomd& repomd, const TakeOver& take_over, Scratch& scratch);

// The same, for a filelists or other, with its packages put into primary's order (I7). corrupt, with the pkgid, when it
// does not list the same packages.
Result<SegmentedFile> cut_segments_in_order(const Repomd& repomd, const TakeOver& take_over,
                                            const SegmentedFile& primary, Scratch& scratch);

}  // namespace repoupdate
