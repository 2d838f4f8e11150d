// SPDX-License-Identifier: Apache-2.0
#include "repodata/reorder.hpp"

#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "repodata/fragment_reader.hpp"
#include "repodata/item_reader.hpp"
#include "repodata/package_scan.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}

}  // namespace

// What the file holds, in its own order.
struct OrderedItems::Document {
  std::shared_ptr<ScratchFile> open;
  std::string prolog;
  std::string trailer;
  // A pkgid stands there more than once when the same package lies under several keys.
  std::unordered_map<std::string, std::deque<Span>> fragments;
};

Result<OrderedItems::Document> OrderedItems::read_document(MetadataKind kind, const SharedBytes& stored,
                                                           Scratch& scratch) {
  Document document;
  auto open = scratch.create();
  if (!open) return std::move(open).error();
  document.open = *std::move(open);
  Span* last = nullptr;  // what a gap belongs to; references into the map stay valid
  ItemReader reader(kind, stored);
  for (;;) {
    auto item = reader.next();
    if (!item) return std::move(item).error();
    if (!*item) return document;
    const std::string_view bytes = (*item)->bytes;
    switch ((*item)->kind) {
      case MetadataItem::Kind::prolog: document.prolog = bytes; continue;
      case MetadataItem::Kind::trailer: document.trailer = bytes; continue;
      case MetadataItem::Kind::gap:
        if (!last) {
          document.prolog += bytes;
          continue;
        }
        last->size += bytes.size();
        break;
      case MetadataItem::Kind::fragment: {
        auto pkgid = read_fragment_pkgid(bytes);
        if (!pkgid) return std::move(pkgid).error();
        last = &document.fragments[*std::move(pkgid)].emplace_back(Span{document.open->size(), bytes.size()});
      }
    }
    if (auto written = document.open->append(bytes); !written) return std::move(written).error();
  }
}

Result<OrderedItems> OrderedItems::read(MetadataKind kind, const SharedBytes& stored, const SegmentedFile& primary,
                                        Scratch& scratch) {
  auto document = read_document(kind, stored, scratch);
  if (!document) return std::move(document).error();
  OrderedItems items;
  items.m_open = std::move(document->open);
  items.m_prolog = std::move(document->prolog);
  items.m_trailer = std::move(document->trailer);

  FrameReader reader(primary);
  for (std::size_t i = 0; i < primary.table.frames.size(); ++i) {
    if (primary.table.frames[i].packages == 0) continue;
    const auto open = reader.open(i);
    if (!open) return open.error();
    const auto spans = scan_packages(*open);
    if (!spans) return spans.error();
    for (const PackageSpan& span : *spans) {
      const auto entry = read_primary_fragment(open->substr(span.begin, span.end - span.begin));
      if (!entry) return entry.error();
      const auto found = document->fragments.find(entry->pkgid);
      if (found == document->fragments.end())
        return corrupt("it does not list " + quoted(entry->location_href) + ", pkgid " + quoted(entry->pkgid) +
                       ", which primary does");
      items.m_fragments.push_back(found->second.front());
      found->second.pop_front();
      if (found->second.empty()) document->fragments.erase(found);
    }
  }
  if (!document->fragments.empty())
    return corrupt("it lists pkgid " + quoted(document->fragments.begin()->first) + ", which primary does not");
  return items;
}

Result<std::optional<MetadataItem>> OrderedItems::next() {
  const std::size_t number = m_next++;
  if (number == 0) return std::optional(MetadataItem{MetadataItem::Kind::prolog, m_prolog});
  if (number <= m_fragments.size()) {
    const Span& span = m_fragments[number - 1];
    auto bytes = read_piece(*m_open, span.begin, span.size);
    if (!bytes) return std::move(bytes).error();
    m_fragment = *std::move(bytes);
    return std::optional(MetadataItem{MetadataItem::Kind::fragment, m_fragment});
  }
  if (number == m_fragments.size() + 1) return std::optional(MetadataItem{MetadataItem::Kind::trailer, m_trailer});
  return std::optional<MetadataItem>();
}

}  // namespace repoupdate
