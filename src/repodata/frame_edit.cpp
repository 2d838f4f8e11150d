// SPDX-License-Identifier: Apache-2.0
#include "repodata/frame_edit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "repodata/fragment_reader.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

// What an erased package takes with it of the gap behind: the rest of its line, as far as that is white space.
std::string_view without_line_end(std::string_view gap) {
  const std::size_t blank = std::min(gap.find_first_not_of(k_xml_space), gap.size());
  const std::size_t line_end = gap.substr(0, blank).find('\n');
  return gap.substr(line_end == std::string_view::npos ? blank : line_end + 1);
}

Result<std::string> read_pkgid(MetadataKind kind, std::string_view fragment) {
  if (kind != MetadataKind::primary) return read_fragment_pkgid(fragment);
  auto entry = read_primary_fragment(fragment);
  if (!entry) return std::move(entry).error();
  return std::move(entry->pkgid);
}

// Room for some packages more, so that the new bytes need not be moved when they grow.
constexpr std::size_t k_usual_growth = 64U << 10;

// An old segment and where its bytes have come to lie.
struct Stretch {
  std::size_t old_begin = 0;
  std::size_t begin = 0;  // in the new bytes
  std::size_t end = 0;
  std::size_t history = 0;  // so many bytes before it may be referred to by its stored bytes
  std::uint64_t stored_offset = 0;
  std::uint32_t stored_size = 0;  // 0: must be compressed anew
};

std::vector<Stretch> old_stretches(const OldFrames& old) {
  std::vector<Stretch> stretches;
  std::size_t frame_begin = 0;
  for (const OldFrames::Frame& frame : old.frames) {
    std::size_t at = frame_begin;
    std::uint64_t offset = frame.offset;
    for (const Segment& segment : frame.segments) {
      stretches.push_back({at, 0, 0, std::min(at - frame_begin, k_deflate_history), offset, segment.stored_size});
      at += segment.open_size;
      offset += segment.stored_size;
    }
    if (frame.segments.empty()) stretches.push_back({at, 0, 0, 0, 0, 0});
    frame_begin += frame.open_size;
  }
  if (stretches.empty()) stretches.emplace_back();  // the first packages of an empty repository
  return stretches;
}

// The new open bytes, made from left to right.
class NewBytes {
public:
  NewBytes(std::string_view old, std::vector<Stretch> stretches) : m_old(old), m_stretches(std::move(stretches)) {
    m_open.reserve(old.size() + k_usual_growth);
  }

  void keep(std::size_t begin, std::size_t end) {
    while (begin < end) {
      go_to(begin);
      const bool last = m_at + 1 == m_stretches.size();
      const std::size_t piece_end = last ? end : std::min(end, m_stretches[m_at + 1].old_begin);
      m_open.append(m_old.substr(begin, piece_end - begin));
      begin = piece_end;
    }
  }
  void keep_package(std::size_t begin, std::size_t end) {
    go_to(begin);
    m_starts.push_back(m_open.size());
    keep(begin, end);
  }
  void skip(std::size_t begin) {
    go_to(begin);
    note_change();
  }
  void insert(std::size_t old_position, std::string_view fragment) {
    go_to(old_position);
    if (!m_open.empty() && m_open.back() != '\n') m_open += '\n';
    m_starts.push_back(m_open.size());
    m_open += fragment;
    note_change();
  }
  void finish() {
    go_to(m_old.size());
    while (m_at + 1 < m_stretches.size()) begin_next();
    m_stretches.back().end = m_open.size();
  }

  std::string m_open;
  const std::string_view m_old;
  std::vector<Stretch> m_stretches;
  std::vector<std::size_t> m_starts;   // of packages
  std::vector<std::size_t> m_changes;  // where bytes do not follow those that they followed before

private:
  void go_to(std::size_t old_position) {
    while (m_at + 1 < m_stretches.size() && m_stretches[m_at + 1].old_begin <= old_position) begin_next();
  }
  void begin_next() {
    m_stretches[m_at].end = m_open.size();
    m_stretches[++m_at].begin = m_open.size();
  }
  void note_change() {
    m_stretches[m_at].stored_size = 0;
    m_changes.push_back(m_open.size());
  }

  std::size_t m_at = 0;  // the stretch that is being filled
};

class FrameEditor {
public:
  FrameEditor(MetadataKind kind, std::string_view old, const FrameEdit& edit, NewBytes& into)
      : m_kind(kind), m_old(old), m_edit(edit), m_new(into) {}

  Result<void> run() {
    const auto spans = scan_packages(m_old);
    if (!spans) return spans.error();
    std::size_t at = 0;
    bool erased = false;
    for (std::size_t i = 0; i < spans->size(); ++i) {
      keep_gap(at, (*spans)[i].begin, erased);
      insert_before(i, (*spans)[i].begin);
      const auto is_erased = erases(i, (*spans)[i]);
      if (!is_erased) return is_erased.error();
      erased = *is_erased;
      if (erased)
        m_new.skip((*spans)[i].begin);
      else
        m_new.keep_package((*spans)[i].begin, (*spans)[i].end);
      at = (*spans)[i].end;
    }
    keep_gap(at, m_old.size(), erased);
    insert_before(spans->size(), m_old.size());
    m_new.finish();
    if (m_next_erase < m_edit.erases.size() || m_next_insert < m_edit.inserts.size())
      return Error{ErrorKind::corrupt, "a frame has fewer packages than its table says", {}};
    return {};
  }

private:
  void keep_gap(std::size_t begin, std::size_t end, bool behind_erased) {
    if (behind_erased) begin = end - without_line_end(m_old.substr(begin, end - begin)).size();
    m_new.keep(begin, end);
  }

  void insert_before(std::size_t package, std::size_t old_position) {
    for (; m_next_insert < m_edit.inserts.size() && m_edit.inserts[m_next_insert].before == package; ++m_next_insert)
      m_new.insert(old_position, m_edit.inserts[m_next_insert].fragment);
  }

  Result<bool> erases(std::size_t package, const PackageSpan& span) {
    if (m_next_erase == m_edit.erases.size() || m_edit.erases[m_next_erase].package != package) return false;
    const auto pkgid = read_pkgid(m_kind, m_old.substr(span.begin, span.end - span.begin));
    if (!pkgid) return pkgid.error();
    if (*pkgid != m_edit.erases[m_next_erase].pkgid)
      return Error{
          ErrorKind::invalid,
          "the edit erases pkgid " + quoted(m_edit.erases[m_next_erase].pkgid) + " where it lists " + quoted(*pkgid),
          {}};
    ++m_next_erase;
    return true;
  }

  MetadataKind m_kind;
  std::string_view m_old;
  const FrameEdit& m_edit;
  NewBytes& m_new;
  std::size_t m_next_erase = 0;
  std::size_t m_next_insert = 0;
};

// Chooses the segments of one new frame, from `begin` to `end` of the new bytes.
class SegmentChooser {
public:
  SegmentChooser(const NewBytes& bytes, const SegmentSizes& sizes, std::size_t begin, std::size_t end)
      : m_bytes(bytes), m_sizes(sizes), m_begin(begin), m_end(end) {}

  std::vector<DraftSegment> choose() {
    collect();
    grow_small_runs();
    std::vector<DraftSegment> chosen;
    for (std::size_t i = 0; i < m_parts.size();) {
      if (m_parts[i].copy_size > 0) {
        chosen.push_back(m_parts[i++]);
        continue;
      }
      const std::size_t run_begin = m_parts[i].begin;
      while (i < m_parts.size() && m_parts[i].copy_size == 0) ++i;
      const std::size_t run_end = i < m_parts.size() ? m_parts[i].begin : m_end;
      const auto cuts = cut_evenly(run_begin, run_end, m_bytes.m_starts, m_sizes.segment);
      std::ranges::move(draft_segments(cuts, run_end, m_bytes.m_starts), std::back_inserter(chosen));
    }
    return chosen;
  }

private:
  // The stretches within the frame; those stay that refer to nothing but what still stands before them.
  void collect() {
    for (const Stretch& stretch : m_bytes.m_stretches) {
      const std::size_t begin = std::max(stretch.begin, m_begin), end = std::min(stretch.end, m_end);
      if (begin >= end) continue;
      DraftSegment part = draft_segments({begin}, end, m_bytes.m_starts).front();
      const bool whole = begin == stretch.begin && end == stretch.end;
      if (whole && stretch.stored_size > 0 && begin - m_begin >= stretch.history &&
          begin - last_change(begin) >= stretch.history) {
        part.copy_offset = stretch.stored_offset;
        part.copy_size = stretch.stored_size;
      }
      m_parts.push_back(part);
    }
  }

  std::size_t last_change(std::size_t before) const {
    const auto behind = std::ranges::upper_bound(m_bytes.m_changes, before);
    return behind == m_bytes.m_changes.begin() ? 0 : *std::prev(behind);
  }

  // What would become a segment of less than half the size, or without a package, takes a neighbour with it.
  void grow_small_runs() {
    for (std::size_t i = 0; i < m_parts.size();) {
      if (m_parts[i].copy_size > 0) {
        ++i;
        continue;
      }
      std::size_t first = i, size = 0, packages = 0;
      for (; i < m_parts.size() && m_parts[i].copy_size == 0; ++i) {
        size += m_parts[i].end - m_parts[i].begin;
        packages += m_parts[i].packages;
      }
      if (size >= m_sizes.segment / 2 && packages > 0) continue;
      if (i < m_parts.size())
        m_parts[i].copy_size = 0, i = first;  // looked at again with it
      else if (first > 0)
        m_parts[first - 1].copy_size = 0;
    }
  }

  const NewBytes& m_bytes;
  const SegmentSizes& m_sizes;
  std::size_t m_begin;
  std::size_t m_end;
  std::vector<DraftSegment> m_parts;
};

}  // namespace

Result<EditedFrames> edit_frames(MetadataKind kind, const OldFrames& old, const FrameEdit& edit,
                                 const SegmentSizes& sizes) {
  NewBytes bytes(old.open, old_stretches(old));
  if (auto done = FrameEditor(kind, old.open, edit, bytes).run(); !done) return std::move(done).error();

  EditedFrames edited;
  if (bytes.m_starts.empty()) return edited;
  edited.open = std::move(bytes.m_open);
  const std::size_t size = edited.open.size();
  auto cuts = size > 2 * sizes.frame ? cut_evenly(0, size, bytes.m_starts, sizes.frame) : std::vector<std::size_t>{0};
  cuts.push_back(size);
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    DraftFrame draft;
    draft.open = std::string_view(edited.open).substr(cuts[i], cuts[i + 1] - cuts[i]);
    draft.segments = SegmentChooser(bytes, sizes, cuts[i], cuts[i + 1]).choose();
    for (DraftSegment& segment : draft.segments) segment.begin -= cuts[i], segment.end -= cuts[i];
    std::vector<std::size_t> starts;
    for (const std::size_t start : bytes.m_starts)
      if (start >= cuts[i] && start < cuts[i + 1]) starts.push_back(start - cuts[i]);
    draft.names = name_range(kind, draft.open, starts);
    edited.drafts.push_back(std::move(draft));
  }
  return edited;
}

}  // namespace repoupdate
