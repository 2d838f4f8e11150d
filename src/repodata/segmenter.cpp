// SPDX-License-Identifier: Apache-2.0
#include "repodata/segmenter.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/in_order.hpp"
#include "repodata/prolog.hpp"

namespace repoupdate {
namespace {

struct OpenFrame {
  std::string open;
  std::vector<std::size_t> packages;  // where they begin
};

// Puts items together until they make a frame.
class FrameCutter {
public:
  FrameCutter(const Segmenting& segmenting, const ItemSource& source) : m_segmenting(segmenting), m_source(source) {}

  Result<std::optional<OpenFrame>> next() {
    for (;;) {
      if (m_trailer) return end();
      auto item = m_source();
      if (!item) return std::move(item).error();
      if (!*item) return std::optional<OpenFrame>();
      auto frame = on_item(**item);
      if (!frame || *frame) return frame;
    }
  }

private:
  // A frame when it is complete before this item.
  Result<std::optional<OpenFrame>> on_item(const MetadataItem& item) {
    std::optional<OpenFrame> complete;
    switch (item.kind) {
      case MetadataItem::Kind::prolog: return on_prolog(item.bytes);
      case MetadataItem::Kind::gap: break;
      case MetadataItem::Kind::fragment:
        if (m_in_prolog || is_full(item.bytes.size())) complete = take();
        m_in_prolog = false;
        // Once for all, instead of doubling it some ten times: only a package that is larger still has to grow it.
        if (m_frame.packages.empty()) m_frame.open.reserve(2 * m_segmenting.sizes.frame);
        m_frame.packages.push_back(m_frame.open.size());
        break;
      case MetadataItem::Kind::trailer:
        m_trailer = m_root_was_empty ? "</" + std::string(info(m_segmenting.kind).root) + '>' : "";
        *m_trailer += item.bytes;
        return std::optional(take());
    }
    m_frame.open += item.bytes;
    return complete;
  }

  // A large package gets a frame of its own rather than one that is too large.
  bool is_full(std::size_t next_package) const {
    const std::size_t size = m_frame.open.size(), wanted = m_segmenting.sizes.frame;
    return size >= wanted || (size > 0 && size + next_package > 2 * wanted);
  }

  Result<std::optional<OpenFrame>> on_prolog(std::string_view bytes) {
    const auto prolog = read_prolog(m_segmenting.kind, bytes);
    if (!prolog) return prolog.error();
    m_root_was_empty = prolog->root_was_empty;
    m_frame.open = m_root_was_empty ? with_count(*prolog, 0) : std::string(bytes);
    return std::optional<OpenFrame>();
  }

  std::optional<OpenFrame> end() {
    if (m_trailer->empty()) return std::nullopt;
    return OpenFrame{std::exchange(*m_trailer, {}), {}};
  }

  OpenFrame take() { return std::exchange(m_frame, {}); }

  const Segmenting& m_segmenting;
  const ItemSource& m_source;
  OpenFrame m_frame;
  std::optional<std::string> m_trailer;  // once it was seen
  bool m_in_prolog = true;
  bool m_root_was_empty = false;
};

NewFrame encode(const OpenFrame& frame, const Segmenting& segmenting, FrameEncoder& encoder) {
  DraftFrame draft{frame.open, {}, name_range(segmenting.kind, frame.open, frame.packages)};
  const auto begins = cut_evenly(0, frame.open.size(), frame.packages, segmenting.sizes.segment);
  draft.segments = draft_segments(begins, frame.open.size(), frame.packages);
  return encode_frame(draft, encoder, segmenting.compression);
}

}  // namespace

Result<SegmentTable> segment_document(const Segmenting& segmenting, const ItemSource& source,
                                      const std::function<Result<void>(std::string_view)>& sink) {
  SegmentTable table;
  FrameCutter cutter(segmenting, source);
  const auto make_work = [&] {
    return [&, encoder = FrameEncoder(segmenting.compression)](OpenFrame frame) mutable -> Result<NewFrame> {
      return encode(frame, segmenting, encoder);
    };
  };
  const auto put = [&](NewFrame frame) -> Result<void> {
    table.frames.push_back(std::move(frame.row));
    for (const auto& part : frame.parts)
      if (auto taken = sink(part.bytes); !taken) return taken;
    return {};
  };
  const auto done = process_in_order(
      segmenting.threads, [&] { return cutter.next(); }, make_work, put);
  if (!done) return done.error();
  return table;
}

}  // namespace repoupdate
