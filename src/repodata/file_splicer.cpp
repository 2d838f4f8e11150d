// SPDX-License-Identifier: Apache-2.0
#include "repodata/file_splicer.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/frame_edit.hpp"
#include "repodata/prolog.hpp"
#include "repodata/segment_container.hpp"

namespace repoupdate {
namespace {

// A FrameEdit whose fragments are still where they are.
struct GroupEdit {
  struct Insert {
    std::size_t before;
    const Fragments* fragments;
  };
  std::vector<FrameEdit::Erase> erases;
  std::vector<Insert> inserts;
};

// Adjacent frames of the old file that are edited as one.
struct Group {
  std::size_t first = 0;
  std::size_t count = 1;  // 0: packages come before this frame
  GroupEdit edit;
};

// What is edited together because little would be left of each; more would cost memory.
constexpr std::size_t k_max_group = 8;

// Packages that come one behind the other are put in by so many frames at a time: all at once would cost memory.
constexpr std::uint64_t k_frames_at_once = 4;

// Frames of the old file, and what came of them.
struct Replacement {
  std::size_t first = 0;
  std::size_t count = 1;
  std::vector<NewFrame> frames;
};

class FileSplicer {
public:
  FileSplicer(const SegmentedFile& file, const SplicePlan& plan, std::size_t threads)
      : m_file(file),
        m_plan(plan),
        m_threads(threads),
        m_places(frame_places(file)),
        m_sizes(file.sizes.value_or(segment_sizes(file.compression, file.table.open_size() + size_of_inserts()))) {}

  Result<SegmentedFile> run() {
    assign_edits();
    auto prolog = renew_prolog();
    if (!prolog) return std::move(prolog).error();

    std::vector<Replacement> replacements(m_groups.size());
    auto replaced = try_each_parallel(m_groups.size(), m_threads, [&](std::size_t i) -> Result<void> {
      const std::size_t limit = i + 1 < m_groups.size() ? m_groups[i + 1].first : last();
      auto replacement = replace(m_groups[i], limit);
      if (!replacement) return std::move(replacement).error();
      replacements[i] = *std::move(replacement);
      return {};
    });
    if (!replaced) return std::move(replaced).error();
    return put_together(*std::move(prolog), std::move(replacements));
  }

private:
  std::uint64_t size_of_inserts() const {
    std::uint64_t size = 0;
    for (const auto& insert : m_plan.inserts) size += size_of(insert.record->fragments);
    return size;
  }
  std::uint64_t size_of(const Fragments& fragments) const { return fragments.size(m_file.kind); }

  std::size_t last() const { return m_file.table.frames.size() - 1; }  // the trailer
  bool holds_packages(std::size_t frame) const { return frame > 0 && frame < last(); }

  // The frame in which the package at this position begins; for the position behind the last, the last frame with
  // packages, or the trailer's place when there is none.
  std::size_t frame_of(std::size_t position) const {
    const auto behind = std::ranges::upper_bound(m_places, position, {}, &FramePlace::first_package);
    const auto frame = static_cast<std::size_t>(std::distance(m_places.begin(), behind)) - 1;
    return frame > last() ? (last() > 1 ? last() - 1 : last()) : frame;
  }

  void assign_edits() {
    std::map<std::size_t, GroupEdit> edits;  // by frame
    for (const auto& erase : m_plan.erases) {
      const std::size_t frame = frame_of(erase.position);
      edits[frame].erases.push_back({erase.position - m_places[frame].first_package, erase.pkgid});
    }
    for (const auto& insert : m_plan.inserts) {
      const std::size_t frame = frame_of(insert.before);
      edits[frame].inserts.push_back({insert.before - m_places[frame].first_package, &insert.record->fragments});
    }
    std::uint64_t size = 0;  // of what will be left of the last group, about
    for (auto& [frame, edit] : edits) {
      const std::uint64_t left = estimate_left(frame, edit);
      const bool is_next = !m_groups.empty() && frame == m_groups.back().first + m_groups.back().count;
      if (is_next && size > 0 && size < m_sizes.frame / 4 && m_groups.back().count < k_max_group) {
        join(m_groups.back(), std::move(edit));
        size += left;
      } else {
        m_groups.push_back({frame, holds_packages(frame) ? std::size_t{1} : 0, std::move(edit)});
        size = left;
      }
    }
    for (Group& group : std::exchange(m_groups, {})) divide(std::move(group));
  }

  // What comes behind all packages of the group need not be put in together with them.
  void divide(Group&& group) {
    const std::size_t behind = m_places[group.first + group.count].first_package - m_places[group.first].first_package;
    auto& inserts = group.edit.inserts;
    const auto tail = std::ranges::lower_bound(inserts, behind, {}, &GroupEdit::Insert::before);
    std::uint64_t size = 0;
    for (auto insert = tail; insert != inserts.end(); ++insert) size += size_of(*insert->fragments);
    const std::uint64_t pieces = size / (k_frames_at_once * m_sizes.frame);
    if (pieces < 2) return m_groups.push_back(std::move(group));

    const std::vector<GroupEdit::Insert> to_divide(tail, inserts.end());
    inserts.erase(tail, inserts.end());
    const std::size_t following = group.first + group.count;
    m_groups.push_back(std::move(group));
    std::uint64_t piece = 0, before = 0;
    for (const auto& insert : to_divide) {
      // The first piece goes with the old packages: what follows begins a line then.
      const bool begins_piece = before * pieces / size > piece;
      piece = before * pieces / size;
      if (begins_piece) m_groups.push_back({following, 0, {}});
      m_groups.back().edit.inserts.push_back({m_groups.back().first == following ? 0 : behind, insert.fragments});
      before += size_of(*insert.fragments);
    }
  }

  std::uint64_t estimate_left(std::size_t frame, const GroupEdit& edit) const {
    const Frame& row = m_file.table.frames[frame];
    std::uint64_t left = 0;
    if (row.packages > 0) left = row.open_size / row.packages * (row.packages - edit.erases.size());
    for (const auto& insert : edit.inserts) left += size_of(*insert.fragments);
    return left;
  }

  void join(Group& group, GroupEdit&& edit) const {
    const std::size_t before = m_places[group.first + group.count].first_package - m_places[group.first].first_package;
    for (auto& erase : edit.erases) group.edit.erases.push_back({before + erase.package, erase.pkgid});
    for (auto& insert : edit.inserts) group.edit.inserts.push_back({before + insert.before, insert.fragments});
    ++group.count;
  }

  // `rooms`, one for each insert, keep what does not lie in memory.
  Result<FrameEdit> with_texts(const GroupEdit& edit, std::vector<std::string>& rooms) const {
    FrameEdit whole{edit.erases, {}};
    for (std::size_t i = 0; i < edit.inserts.size(); ++i) {
      const auto text = edit.inserts[i].fragments->text(m_file.kind, rooms[i]);
      if (!text) return text.error();
      whole.inserts.push_back({edit.inserts[i].before, *text});
    }
    return whole;
  }

  Result<NewFrame> renew_prolog() const {
    FrameReader reader(m_file);
    const auto open = reader.open(0);
    if (!open) return open.error();
    FragmentScanner scanner(m_file.kind);
    scanner.feed(*open);
    const auto item = scanner.next();
    if (!item) return item.error();
    if (!*item) return Error{ErrorKind::corrupt, "its first frame is not the prolog", {}};
    const std::size_t prolog_size = (*item)->bytes.size();
    const auto prolog = read_prolog(m_file.kind, (*item)->bytes);
    if (!prolog) return prolog.error();
    std::string renewed = with_count(*prolog, m_plan.packages);
    renewed += open->substr(prolog_size);
    const bool inserts_first = !m_plan.inserts.empty() && m_plan.inserts.front().before == 0;
    if (inserts_first && !renewed.ends_with('\n')) renewed += '\n';
    FrameEncoder encoder(m_file.compression);
    const DraftFrame draft{renewed, draft_segments({0}, renewed.size(), {}), {}};
    return encode_frame(draft, encoder, m_file.compression);
  }

  // Frames up to `limit` may be joined with the group.
  Result<Replacement> replace(const Group& group, std::size_t limit) const {
    Replacement replacement{group.first, group.count, {}};
    std::vector<std::string> rooms(group.edit.inserts.size());
    const auto edit = with_texts(group.edit, rooms);
    if (!edit) return edit.error();
    FrameReader reader(m_file);
    OldFrames old;
    for (std::size_t i = 0; i < group.count; ++i)
      if (auto read = read_old(reader, group.first + i, old); !read) return std::move(read).error();
    for (;;) {
      const auto edited = edit_frames(m_file.kind, old, *edit, m_sizes);
      if (!edited) return edited.error();
      const std::size_t following = group.first + replacement.count;
      const bool small = !edited->open.empty() && edited->open.size() < m_sizes.frame / 4;
      if (small && group.count > 0 && following < limit) {
        if (auto read = read_old(reader, following, old); !read) return std::move(read).error();
        ++replacement.count;
        continue;
      }
      old = {};  // as large as what is made of it
      auto encoded = encode(*edited, replacement);
      if (encoded.failed_with(ErrorKind::corrupt)) encoded = encode_anew(reader, *edit, replacement);
      if (!encoded) return std::move(encoded).error();
      return replacement;
    }
  }

  Result<void> read_old(FrameReader& reader, std::size_t frame, OldFrames& old) const {
    auto open = reader.take_open(frame);
    if (!open) return std::move(open).error();
    old.frames.push_back({m_file.table.frames[frame].segments, m_places[frame].offset, open->size()});
    if (old.open.empty())
      old.open = *std::move(open);
    else
      old.open += *open;
    return {};
  }

  Result<void> encode(const EditedFrames& edited, Replacement& replacement) const {
    replacement.frames.resize(edited.drafts.size());
    return try_each_parallel(edited.drafts.size(), m_threads, [&](std::size_t i) {
      FrameEncoder encoder(m_file.compression);
      replacement.frames[i] = encode_frame(edited.drafts[i], encoder, m_file.compression);
      return read_back(replacement.frames[i], edited.drafts[i].open);
    });
  }

  // Without the segments, which are not where the table says.
  Result<void> encode_anew(FrameReader& reader, const FrameEdit& edit, Replacement& replacement) const {
    OldFrames old;
    for (std::size_t i = 0; i < replacement.count; ++i)
      if (auto read = read_old(reader, replacement.first + i, old); !read) return read;
    for (OldFrames::Frame& frame : old.frames) frame.segments = {};
    const auto edited = edit_frames(m_file.kind, old, edit, m_sizes);
    if (!edited) return edited.error();
    return encode(*edited, replacement);
  }

  // Old segments were kept on the word of the table.
  Result<void> read_back(const NewFrame& frame, std::string_view expected) const {
    const auto is_copy = [](const auto& part) { return part.copy_size > 0; };
    if (std::ranges::none_of(frame.parts, is_copy)) return {};
    std::string stored, open;
    for (const auto& part : frame.parts) {
      stored += part.bytes;
      if (part.copy_size == 0) continue;
      const auto copy = read_piece(*m_file.stored, part.copy_offset, part.copy_size);
      if (!copy) return copy.error();
      stored += *copy;
    }
    FrameDecoder decoder(m_file.compression);
    if (auto decoded = decoder.decode(stored, expected.size(), open); !decoded) return decoded;
    if (open != expected) return Error{ErrorKind::corrupt, "a segment is not where its table says", {}};
    return {};
  }

  void append(NewFrame&& frame, SegmentTable& table, ComposedBytes& bytes) const {
    for (auto& part : frame.parts) {
      if (part.copy_size > 0)
        bytes.append(m_file.stored, part.copy_offset, part.copy_size);
      else
        bytes.append(std::move(part.bytes));
    }
    table.frames.push_back(std::move(frame.row));
  }

  SegmentedFile put_together(NewFrame prolog, std::vector<Replacement> replacements) const {
    SegmentTable table;
    ComposedBytes frames;
    KeptFrames kept;
    append(std::move(prolog), table, frames);
    auto replacement = replacements.begin();
    for (std::size_t i = 1; i < m_file.table.frames.size();) {
      if (replacement != replacements.end() && replacement->first == i) {
        for (NewFrame& frame : replacement->frames) append(std::move(frame), table, frames);
        i += replacement->count;
        ++replacement;
        continue;
      }
      frames.append(m_file.stored, m_places[i].offset, m_file.table.frames[i].stored_size);
      if (!m_file.kept.empty()) {
        kept.resize(table.frames.size());
        kept.push_back(m_file.kept[i]);
      }
      table.frames.push_back(m_file.table.frames[i]);
      ++i;
    }

    Container container = make_container(m_file.compression, table);
    SegmentedFile spliced = m_file;
    spliced.first_frame = container.head.size();
    spliced.table = std::move(table);
    if (!kept.empty()) kept.resize(spliced.table.frames.size());
    spliced.kept = std::move(kept);
    auto whole = std::make_shared<ComposedBytes>();
    whole->append(std::move(container.head));
    whole->append(std::move(frames));
    whole->append(std::move(container.tail));
    spliced.stored = std::move(whole);
    return spliced;
  }

  const SegmentedFile& m_file;
  const SplicePlan& m_plan;
  std::size_t m_threads;
  std::vector<FramePlace> m_places;
  SegmentSizes m_sizes;
  std::vector<Group> m_groups;
};

}  // namespace

Result<SegmentedFile> splice_file(const SegmentedFile& file, const SplicePlan& plan, std::size_t threads) {
  return FileSplicer(file, plan, threads).run();
}

}  // namespace repoupdate
