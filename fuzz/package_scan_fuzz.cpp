// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as what stands between the prolog and the trailer of a metadata file. scan_packages and
// FragmentScanner are held against each other and against the full parser (expat), the scanners' refusals included.
// What expat refuses the scanners may accept: they do not look at what is inside of a package.
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "claim.hpp"
#include "repodata/careful_reader.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/package_scan.hpp"

namespace repoupdate {
namespace {

constexpr MetadataKind k_kind = MetadataKind::filelists;
constexpr std::string_view k_prolog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<filelists packages=\"1\">";
constexpr std::string_view k_trailer = "</filelists>\n";

using Spans = std::vector<PackageSpan>;

// Nothing when it refuses the document.
std::optional<Spans> spans_of_full_parser(std::string_view document) {
  CarefulReader careful(k_kind);
  if (!careful.feed(document) || !careful.finish()) return std::nullopt;
  Spans spans;
  for (const CarefulPackage& package : careful.listing().packages)
    spans.push_back({package.begin - k_prolog.size(), package.end - k_prolog.size()});
  return spans;
}

struct Items {
  std::vector<std::string> bytes;
  std::vector<MetadataItem::Kind> kinds;
  std::optional<ErrorKind> refused;

  bool operator==(const Items&) const = default;
};

class ItemCollector {
public:
  void feed(std::string_view piece, bool is_last) {
    if (m_items.refused) return;
    m_scanner.feed(piece);
    if (is_last) m_scanner.finish();
    for (auto item = m_scanner.next();; item = m_scanner.next()) {
      if (!item) m_items.refused = item.error().kind;
      if (!item || !*item) return;
      m_items.bytes.emplace_back((*item)->bytes);
      m_items.kinds.push_back((*item)->kind);
    }
  }
  const Items& items() const { return m_items; }

private:
  FragmentScanner m_scanner{k_kind};
  Items m_items;
};

Items items_of_whole(std::string_view document) {
  ItemCollector collector;
  collector.feed(document, true);
  return collector.items();
}

Items items_of_pieces(std::string_view document) {
  std::minstd_rand random(crc32_of(document));
  ItemCollector collector;
  while (!document.empty()) {
    const std::string_view piece = document.substr(0, random() % 24 + 1);
    document.remove_prefix(piece.size());
    collector.feed(piece, document.empty());
  }
  return collector.items();
}

Spans spans_of_items(const Items& items) {
  Spans spans;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < items.bytes.size(); ++i) {
    const std::size_t end = begin + items.bytes[i].size();
    if (items.kinds[i] == MetadataItem::Kind::fragment)
      spans.push_back({begin - k_prolog.size(), end - k_prolog.size()});
    begin = end;
  }
  return spans;
}

void check_items(const std::string& document, const Items& items) {
  claim(items == items_of_pieces(document), "FragmentScanner's items do not depend on the pieces that it is fed");
  if (items.refused) return;
  std::string all;
  for (const std::string& bytes : items.bytes) all += bytes;
  claim(all == document, "FragmentScanner's items are the document");
}

// What is well-formed is only refused for what the full parser, too, finds between the packages.
void check_refusal(std::string_view piece, ErrorKind kind, const Spans& seen) {
  claim(kind == ErrorKind::unsupported, "what is well-formed is not called corrupt");
  bool has_other = false;
  std::size_t gap = 0;
  for (const auto& [begin, end] : seen) {
    has_other = has_other || !scan_packages(piece.substr(gap, begin - gap));
    gap = end;
  }
  claim(has_other || !scan_packages(piece.substr(gap)), "packages with nothing but space between them are accepted");
}

// Every package, every gap, and two pieces one behind the other are pieces too: so packages may be taken out and put
// in without looking at the others.
void check_locality(std::string_view piece, const Spans& spans) {
  std::size_t gap = 0;
  for (const auto& [begin, end] : spans) {
    claim(gap <= begin && begin < end && end <= piece.size(), "packages lie one behind the other");
    const auto none = scan_packages(piece.substr(gap, begin - gap));
    claim(none.ok() && none->empty(), "no package is in a gap");
    const auto one = scan_packages(piece.substr(begin, end - begin));
    claim(one.ok() && *one == Spans{{0, end - begin}}, "a package is found wherever it stands");
    gap = end;
  }
  Spans twice = spans;
  for (const auto& [begin, end] : spans) twice.push_back({piece.size() + begin, piece.size() + end});
  const auto found = scan_packages(std::string(piece).append(piece));
  claim(found.ok() && *found == twice, "two pieces are a piece with the packages of both");
}

void check(std::string_view piece) {
  const std::string document = std::string(k_prolog).append(piece).append(k_trailer);
  const auto spans = scan_packages(piece);
  const auto seen = spans_of_full_parser(document);
  if (spans) {
    claim(!seen || *spans == *seen, "the full parser sees the packages that scan_packages finds");
    check_locality(piece, *spans);
  } else if (seen) {
    check_refusal(piece, spans.error().kind, *seen);
  }

  // `</filelists </filelists>` is one tag to it: then the trailer is another.
  const Items items = items_of_whole(document);
  check_items(document, items);
  const bool is_whole = !items.refused && items.bytes.back() == k_trailer;
  claim(is_whole == spans.ok(), "FragmentScanner accepts what scan_packages accepts");
  if (is_whole) claim(spans_of_items(items) == *spans, "FragmentScanner finds the packages that scan_packages finds");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
