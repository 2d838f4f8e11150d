// SPDX-License-Identifier: Apache-2.0
#include "repodata/reorder.hpp"

#include <deque>
#include <unordered_map>
#include <utility>

#include "repodata/fragment_reader.hpp"
#include "repodata/item_reader.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

struct Document {
  std::string prolog;  // with the gap before the first package
  // Fragments, each with the gap behind it. A pkgid stands there more than once when the same package lies
  // under several keys.
  std::unordered_map<std::string, std::deque<std::string>> fragments;
  std::string trailer;
};

Result<Document> read_document(MetadataKind kind, std::string_view stored) {
  Document document;
  std::string* last = &document.prolog;  // what a gap belongs to; pointers into the map stay valid
  ItemReader reader(kind, stored);
  for (;;) {
    auto item = reader.next();
    if (!item) return std::move(item).error();
    if (!*item) return document;
    const std::string_view bytes = (*item)->bytes;
    switch ((*item)->kind) {
      case MetadataItem::Kind::prolog: document.prolog = bytes; break;
      case MetadataItem::Kind::gap: *last += bytes; break;
      case MetadataItem::Kind::trailer: document.trailer = bytes; break;
      case MetadataItem::Kind::fragment: {
        auto pkgid = read_fragment_pkgid(bytes);
        if (!pkgid) return std::move(pkgid).error();
        last = &document.fragments[*std::move(pkgid)].emplace_back(bytes);
      }
    }
  }
}

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}

}  // namespace

Result<std::string> in_primary_order(MetadataKind kind, std::string_view stored, const RepoIndex& index) {
  auto document = read_document(kind, stored);
  if (!document) return std::move(document).error();

  std::string open = std::move(document->prolog);
  for (const IndexEntry& entry : index.entries) {
    const auto found = document->fragments.find(entry.pkgid);
    if (found == document->fragments.end())
      return corrupt("it does not list " + quoted(entry.location_href) + ", pkgid " + quoted(entry.pkgid) +
                     ", which primary does");
    open += found->second.front();
    found->second.pop_front();
    if (found->second.empty()) document->fragments.erase(found);
  }
  if (!document->fragments.empty())
    return corrupt("it lists pkgid " + quoted(document->fragments.begin()->first) + ", which primary does not");
  return open + document->trailer;
}

}  // namespace repoupdate
