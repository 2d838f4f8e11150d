// SPDX-License-Identifier: Apache-2.0
#include "repodata/frame_draft.hpp"

#include <algorithm>
#include <utility>

#include "model/location_href.hpp"
#include "repodata/fragment_reader.hpp"

namespace repoupdate {
namespace {

// Where the first package begins from `at` on, or `end`.
std::size_t first_from(const std::vector<std::size_t>& starts, std::size_t at, std::size_t end) {
  const auto start = std::ranges::lower_bound(starts, at);
  return start == starts.end() ? end : *start;
}

// Segments of nothing but copies stay where they lie beside each other.
void add_copy(NewFrame& frame, std::uint64_t offset, std::uint64_t size) {
  if (!frame.parts.empty()) {
    NewFrame::Part& last = frame.parts.back();
    if (last.copy_size > 0 && last.copy_offset + last.copy_size == offset) {
      last.copy_size += size;
      return;
    }
  }
  frame.parts.push_back({{}, offset, size});
}

}  // namespace

NewFrame encode_frame(const DraftFrame& draft, FrameEncoder& encoder, Compression compression) {
  NewFrame frame;
  frame.row.open_size = draft.open.size();
  frame.row.crc32 = crc32_of(draft.open);
  frame.row.names = draft.names;
  for (const DraftSegment& segment : draft.segments) {
    Segment row{segment.copy_size, static_cast<std::uint32_t>(segment.end - segment.begin), segment.packages};
    if (segment.copy_size > 0) {
      add_copy(frame, segment.copy_offset, segment.copy_size);
    } else {
      const bool primed = compression == Compression::gz;
      const std::size_t history = primed ? std::min(segment.begin, k_deflate_history) : 0;
      std::string bytes = encoder.encode(draft.open.substr(segment.begin, segment.end - segment.begin),
                                         draft.open.substr(segment.begin - history, history));
      row.stored_size = static_cast<std::uint32_t>(bytes.size());
      frame.parts.push_back({std::move(bytes), 0, 0});
    }
    frame.row.stored_size += row.stored_size;
    frame.row.packages += row.packages;
    if (compression == Compression::gz) frame.row.segments.push_back(row);
  }
  return frame;
}

NameRange name_range(MetadataKind kind, std::string_view open, const std::vector<std::size_t>& packages) {
  NameRange names;
  if (kind != MetadataKind::primary) return names;
  for (const std::size_t begin : packages) {
    const auto href = read_fragment_href(open.substr(begin));
    if (!href) return {};
    names.add(basename_of(*href));
  }
  return names;
}

std::vector<DraftSegment> draft_segments(const std::vector<std::size_t>& begins, std::size_t end,
                                         const std::vector<std::size_t>& starts) {
  std::vector<DraftSegment> segments;
  auto start = std::ranges::lower_bound(starts, begins.front());
  for (std::size_t i = 0; i < begins.size(); ++i) {
    DraftSegment segment{begins[i], i + 1 < begins.size() ? begins[i + 1] : end, 0, 0, 0};
    for (; start != starts.end() && *start < segment.end; ++start) ++segment.packages;
    segments.push_back(segment);
  }
  return segments;
}

std::vector<std::size_t> cut_evenly(std::size_t begin, std::size_t end, const std::vector<std::size_t>& starts,
                                    std::size_t size) {
  std::vector<std::size_t> cuts{begin};
  for (;;) {
    const std::size_t at = cuts.back(), rest = end - at;
    const std::size_t pieces = (rest + size / 2) / size;
    if (pieces < 2) return cuts;
    const auto first = std::upper_bound(starts.begin(), starts.end(), first_from(starts, at, end));
    if (first == starts.end() || *first >= end) return cuts;  // a single package
    const std::size_t target = at + rest / pieces;
    const auto behind = std::lower_bound(first, starts.end(), target);
    const std::size_t next = behind == starts.end() ? end : std::min(*behind, end);
    if (behind != first && (target - *std::prev(behind) <= next - target || next - at > 2 * size))
      cuts.push_back(*std::prev(behind));
    else if (next < end)
      cuts.push_back(next);
    else
      return cuts;
  }
}

}  // namespace repoupdate
