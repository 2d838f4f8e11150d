// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a stored primary, filelists or other: decompressed, cut into packages, and these read. Held
// against the full parser (expat), which must see the same packages, and the same in them.
#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "claim.hpp"
#include "repodata/careful_reader.hpp"
#include "repodata/decoder.hpp"
#include "repodata/fragment_reader.hpp"
#include "repodata/fragment_scanner.hpp"
#include "repodata/xml_parser.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_max_open_size = 1U << 20;

std::optional<std::string> open_of(std::string_view stored) {
  Decoder decoder(stored, k_max_open_size);
  std::string open;
  for (auto piece = decoder.next();; piece = decoder.next()) {
    if (!piece) return std::nullopt;
    if (piece->empty()) return open;
    open += *piece;
  }
}

struct Fragment {
  std::string_view bytes;
  std::uint64_t begin = 0;
};

// Nothing when the scanner refuses the document.
std::optional<std::vector<Fragment>> fragments_of(MetadataKind kind, std::string_view document) {
  FragmentScanner scanner(kind);
  scanner.feed(document);
  scanner.finish();
  std::vector<Fragment> fragments;
  std::size_t begin = 0;
  for (auto item = scanner.next();; item = scanner.next()) {
    if (!item) return std::nullopt;
    if (!*item) break;
    const std::size_t size = (*item)->bytes.size();
    if ((*item)->kind == MetadataItem::Kind::fragment) fragments.push_back({document.substr(begin, size), begin});
    begin += size;
  }
  claim(begin == document.size(), "the items are the document");
  return fragments;
}

// Whether there is one right reading of a package: that says nothing twice which is read once, and has text alone where
// text is read.
bool has_one_reading(std::string_view fragment) {
  constexpr std::array<std::string_view, 7> k_children{"name",     "arch", "checksum", "version",
                                                       "location", "size", "time"};
  constexpr std::ptrdiff_t k_with_text = 3;
  std::array<int, k_children.size()> counts{};
  std::ptrdiff_t child = 0;
  int depth = 0;
  bool is_mixed = false;
  XmlParser parser({[&](std::string_view name, const XmlAttributes&) {
                      if (++depth == 3 && child < k_with_text) is_mixed = true;
                      if (depth != 2) return;
                      child = std::find(k_children.begin(), k_children.end(), name) - k_children.begin();
                      if (child < std::ssize(counts)) ++counts[static_cast<std::size_t>(child)];
                    },
                    [&](std::string_view) { --depth; },
                    {}});
  claim(parser.feed(fragment).ok() && parser.finish().ok(), "a package of a well-formed document is well-formed");
  return !is_mixed && std::all_of(counts.begin(), counts.end(), [](int count) { return count <= 1; });
}

void check_primary(std::string_view fragment, const CarefulPackage* seen) {
  const auto entry = read_primary_fragment(fragment);
  const auto href = read_fragment_href(fragment);
  if (!entry)
    return claim(entry.error().kind == ErrorKind::unsupported, "a package that cannot be read is unsupported");
  claim(!entry->nevra.name.empty() && !entry->pkgid.empty() && !entry->location_href.empty(),
        "what is read has a name, a pkgid and a location");
  if (!seen || !has_one_reading(fragment)) return;
  claim(*entry == seen->entry, "the full parser reads the same entry");
  claim(href.ok() && *href == entry->location_href, "the location alone is that of the entry");
}

void check_other(std::string_view fragment, const CarefulPackage* seen) {
  const auto pkgid = read_fragment_pkgid(fragment);
  if (!pkgid)
    return claim(pkgid.error().kind == ErrorKind::unsupported, "a package that cannot be read is unsupported");
  claim(!pkgid->empty(), "a pkgid that is read is not empty");
  if (seen) claim(*pkgid == seen->entry.pkgid, "the full parser reads the same pkgid");
}

void check_document(MetadataKind kind, std::string_view document) {
  const auto fragments = fragments_of(kind, document);
  if (!fragments) return;
  CarefulReader careful(kind);
  const bool is_well_formed = careful.feed(document).ok() && careful.finish().ok();
  const auto& packages = careful.listing().packages;
  claim(!is_well_formed || packages.size() == fragments->size(), "the full parser sees as many packages");
  for (std::size_t i = 0; i < fragments->size(); ++i) {
    const auto& [bytes, begin] = (*fragments)[i];
    const CarefulPackage* seen = is_well_formed ? &packages[i] : nullptr;
    if (seen) claim(seen->begin == begin && seen->end == begin + bytes.size(), "the full parser sees them there");
    kind == MetadataKind::primary ? check_primary(bytes, seen) : check_other(bytes, seen);
  }
}

void check(std::string_view stored) {
  const auto open = open_of(stored);
  if (!open) return;
  for (const auto& about : k_metadata_kinds) check_document(about.kind, *open);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
