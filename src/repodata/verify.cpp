// SPDX-License-Identifier: Apache-2.0
#include "repodata/verify.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "repodata/careful_reader.hpp"
#include "repodata/decoder.hpp"
#include "repodata/stored_file.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_max_listed = 20;  // problems of one sort that are named one by one

// One metadata file as found.
struct Examined {
  std::string key;
  std::vector<std::string> problems;
  CarefulListing listing;
  bool is_readable = false;  // to its end
};

struct OpenFacts {
  std::optional<Hasher> hasher;
  std::uint64_t size = 0;
};

Result<void> read_open(CarefulReader& reader, const SharedBytes& stored, OpenFacts& open) {
  Decoder decoder(stored);
  for (;;) {
    const auto piece = decoder.next();
    if (!piece) return piece.error();
    if (piece->empty()) return reader.finish();
    open.size += piece->size();
    if (open.hasher) open.hasher->update(*piece);
    if (auto fed = reader.feed(*piece); !fed) return fed;
  }
}

void compare_size(Examined& examined, std::string_view what, std::uint64_t found,
                  const std::optional<std::uint64_t>& stated) {
  if (stated && *stated != found)
    examined.problems.push_back("its " + std::string(what) + " is " + std::to_string(found) + ", repomd.xml says " +
                                std::to_string(*stated));
}

void compare_checksum(Examined& examined, std::string_view what, const std::string& found,
                      const std::optional<Checksum>& stated) {
  if (stated && stated->hex != found)
    examined.problems.push_back("its " + std::string(what) + " is " + found + ", repomd.xml says " + stated->hex);
}

// Padding is harmless: some writers reserve room for the number.
bool states(std::string_view text, std::size_t count) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && number == count && is_xml_space({end, text.data() + text.size()});
}

Examined examine(const Repomd& repomd, MetadataKind kind, const SharedBytes& stored) {
  Examined examined;
  examined.key = metadata_key(repomd, kind);
  const RepomdRecord* record = repomd.find(kind);
  if (!record) {
    examined.problems.push_back("repomd.xml does not name it");
    return examined;
  }
  if (!stored) {
    examined.problems.push_back("is named by repomd.xml and is not there");
    return examined;
  }
  compare_size(examined, "size", stored->size(), record->size);
  if (record->checksum) {
    const auto digest = hash_stored(*stored, record->checksum->type);
    if (!digest) {
      examined.problems.push_back("it cannot be read: " + digest.error().message);
      return examined;
    }
    compare_checksum(examined, "checksum", *digest, record->checksum);
  }

  OpenFacts open;
  if (record->open_checksum) open.hasher.emplace(record->open_checksum->type);
  CarefulReader reader(kind);
  const auto read = read_open(reader, stored, open);
  examined.listing = reader.listing();
  if (!read) {
    examined.problems.push_back("it cannot be read: " + read.error().message);
    return examined;
  }
  examined.is_readable = true;
  compare_size(examined, "open-size", open.size, record->open_size);
  if (open.hasher) compare_checksum(examined, "open-checksum", open.hasher->finish_hex(), record->open_checksum);
  const std::size_t count = examined.listing.packages.size();
  if (!states(examined.listing.stated_count, count))
    examined.problems.push_back("it lists " + std::to_string(count) +
                                " packages and says packages=" + quoted(examined.listing.stated_count));
  return examined;
}

void compare_order(const Examined& primary, Examined& other) {
  if (!primary.is_readable || !other.is_readable) return;
  const auto& expected = primary.listing.packages;
  const auto& found = other.listing.packages;
  const auto [e, f] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end(),
                                    [](const auto& a, const auto& b) { return a.entry.pkgid == b.entry.pkgid; });
  if (e == expected.end() && f == found.end()) return;
  const auto name = [](auto at, auto end) {
    return at == end ? std::string("nothing") : "pkgid " + quoted(at->entry.pkgid);
  };
  other.problems.push_back("it does not list the packages of primary in the same order: at position " +
                           std::to_string(e - expected.begin()) + " stands " + name(f, found.end()) + ", in primary " +
                           name(e, expected.end()));
}

void find_duplicates(Examined& primary) {
  std::unordered_set<std::string_view> hrefs;
  std::size_t duplicates = 0;
  for (const auto& package : primary.listing.packages) {
    if (hrefs.insert(package.entry.location_href).second) continue;
    if (++duplicates <= k_max_listed)
      primary.problems.push_back("it lists " + quoted(package.entry.location_href) + " more than once");
  }
  if (duplicates > k_max_listed)
    primary.problems.push_back("and " + std::to_string(duplicates - k_max_listed) + " more hrefs more than once");
}

}  // namespace

VerifyReport verify_metadata(const Repomd& repomd, const PerKind<SharedBytes>& stored) {
  PerKind<Examined> files;
  for (const auto& about : k_metadata_kinds) files[about.kind] = examine(repomd, about.kind, stored[about.kind]);
  Examined& primary = files[MetadataKind::primary];
  find_duplicates(primary);
  for (const auto& about : k_metadata_kinds)
    if (about.kind != MetadataKind::primary) compare_order(primary, files[about.kind]);

  VerifyReport report;
  for (auto& file : files.values)
    for (auto& problem : file.problems) report.problems.push_back({file.key, std::move(problem)});
  for (auto& package : primary.listing.packages) report.entries.push_back(std::move(package.entry));
  return report;
}

}  // namespace repoupdate
