// SPDX-License-Identifier: Apache-2.0
// For the tests of this room: small repositories with content that invites mistakes.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.hpp"
#include "model/metadata_edit.hpp"
#include "model/publication.hpp"
#include "repodata/decoder.hpp"
#include "repodata/empty_repository.hpp"
#include "repodata/index_reader.hpp"
#include "repodata/prolog.hpp"
#include "repodata/repomd.hpp"
#include "repodata/whole_file.hpp"
#include "repodata/xml_text.hpp"
#include "testkit/memory_scratch.hpp"

namespace repoupdate::sample {

// A package in createrepo_c's layout. Its texts hold what looks like the end of a package but is none.
inline PackageRecord package(const std::string& name, const std::string& version = "1", const std::string& dir = "") {
  PackageRecord record;
  record.nevra = {name, "0", version, "1", "noarch"};
  record.location_href = dir + name + '-' + version + "-1.noarch.rpm";
  record.pkgid = {HashType::sha256, sha256_hex(record.location_href)};
  record.size = 1000 + name.size();
  record.time_file = 1'700'000'000;
  const std::string escaped = escape(name), evr = "<version epoch=\"0\" ver=\"" + version + "\" rel=\"1\"/>\n";
  record.fragments[MetadataKind::primary] =
      "<package type=\"rpm\">\n  <name>" + escaped + "</name>\n  <arch>noarch</arch>\n  " + evr +
      "  <checksum type=\"sha256\" pkgid=\"YES\">" + record.pkgid.hex +
      "</checksum>\n  <summary>&lt;/package&gt; &amp; so</summary>\n"
      "  <description><![CDATA[</package>]]> <!-- </package> --></description>\n"
      "  <packager>a &lt;b@c&gt;</packager>\n  <time file=\"1700000000\" build=\"5\"/>\n  <size package=\"" +
      std::to_string(record.size) + "\" installed=\"0\" archive=\"124\"/>\n  <location href=\"" +
      escape(record.location_href) +
      "\"/>\n  <format>\n    <rpm:provides>\n      <rpm:entry name=\"a > b /\" flags=\"EQ\"/>\n    "
      "</rpm:provides>\n"
      "    <file>/etc/name</file>\n  </format>\n</package>\n";
  const std::string start =
      "<package pkgid=\"" + record.pkgid.hex + "\" name=\"" + escaped + "\" arch=\"noarch\">\n  " + evr;
  record.fragments[MetadataKind::filelists] =
      start + "  <file>/usr/share/" + escaped + "</file>\n  <file type=\"dir\">/usr/package</file>\n</package>\n";
  record.fragments[MetadataKind::other] =
      start + "  <changelog author=\"A &lt;a@b&gt; - 1-1\" date=\"1\">- &lt;/package&gt;</changelog>\n</package>\n";
  return record;
}

inline std::string basename(std::string_view href) {
  return std::string(href.substr(href.rfind('/') + 1));
}

// createrepo_c's order.
inline bool before(const PackageRecord& a, const PackageRecord& b) {
  return std::pair(basename(a.location_href), a.location_href) < std::pair(basename(b.location_href), b.location_href);
}

// The open documents that createrepo_c would write for these packages, in the order given.
inline PerKind<std::string> documents(const std::vector<PackageRecord>& packages) {
  PerKind<std::string> open;
  for (const auto& about : k_metadata_kinds) {
    const std::string empty = empty_document(about.kind);
    const std::size_t end = empty.rfind("</");
    std::string prolog = empty.substr(0, end);
    prolog.replace(prolog.rfind("\"0\""), 3, '"' + std::to_string(packages.size()) + '"');
    open[about.kind] = prolog;
    for (const auto& record : packages) open[about.kind] += record.fragments[about.kind];
    open[about.kind] += empty.substr(end);
  }
  return open;
}

// A repository as it lies in its store.
struct StoredRepository {
  Repomd repomd;
  PerKind<SharedBytes> files;
};

// A repository that has these files, as another tool wrote them: compressed as a whole, and named in a repomd that says
// what is right.
inline StoredRepository stored(const PerKind<std::string>& open, Compression compression = Compression::gz,
                               HashType type = HashType::sha256) {
  StoredRepository repository;
  repository.repomd.revision = "1700000000";
  for (const auto& about : k_metadata_kinds) {
    std::string bytes = whole_file(compression, open[about.kind]);
    RepomdRecord record;
    record.type = about.name;
    record.checksum = Checksum{type, hash_hex(type, bytes)};
    record.location_href =
        "repodata/" + record.checksum->hex + '-' + record.type + ".xml" + std::string(file_suffix(compression));
    record.open_checksum = Checksum{type, hash_hex(type, open[about.kind])};
    record.size = bytes.size();
    record.open_size = open[about.kind].size();
    record.timestamp = 1'700'000'000;
    repository.repomd.records.push_back(record);
    repository.files[about.kind] = in_memory(std::move(bytes));
  }
  return repository;
}

inline Result<RepoIndex> read(const StoredRepository& repository, const IndexReading& reading = {}) {
  MemoryScratch scratch;
  return read_index(repository.repomd, repository.files, reading, scratch);
}

inline std::string bytes_of(const SharedBytes& stored) {
  auto bytes = read_all(*stored, k_max_stored_metadata_size);
  return bytes ? *std::move(bytes) : bytes.error().text();
}

inline std::string decode(const SharedBytes& stored) {
  std::string open;
  Decoder decoder(stored);
  for (auto piece = decoder.next(); piece && !piece->empty(); piece = decoder.next()) open += *piece;
  return open;
}

inline const PublishedFile& file_of(const Publication& publication, MetadataKind kind) {
  return publication.immutable.at(index_of(kind));
}

inline PerKind<std::string> open_of(const Publication& publication) {
  PerKind<std::string> open;
  for (const auto& about : k_metadata_kinds) open[about.kind] = decode(file_of(publication, about.kind).body);
  return open;
}

// The repository as a reader finds it once the publication is put.
inline StoredRepository publish(const Publication& publication) {
  StoredRepository repository;
  auto repomd = parse_repomd(publication.pointer.bytes);
  if (!repomd) return repository;
  repository.repomd = *std::move(repomd);
  for (const auto& about : k_metadata_kinds)
    for (const auto& file : publication.immutable)
      if (file.key == repository.repomd.find(about.kind)->location_href)
        repository.files[about.kind] = in_memory(bytes_of(file.body));
  return repository;
}

inline std::vector<ListedPackage> list(const RepoIndex& index) {
  auto listed = list_packages(index, 1);
  return listed ? *std::move(listed) : std::vector<ListedPackage>();
}

inline std::vector<IndexEntry> entries_of(const RepoIndex& index) {
  std::vector<IndexEntry> entries;
  for (auto& package : list(index)) entries.push_back(std::move(package.entry));
  return entries;
}

inline MetadataEdit::Erase erase_of(const ListedPackage& package) {
  return {package.position, package.entry.location_href, package.entry.pkgid, package.entry.nevra};
}

// Of the packages at these positions.
inline MetadataEdit erasing(const RepoIndex& index, const std::vector<std::size_t>& positions) {
  const auto listed = list(index);
  MetadataEdit edit;
  for (const std::size_t position : positions) edit.erases.push_back(erase_of(listed.at(position)));
  return edit;
}

inline MetadataEdit inserting(std::vector<PackageRecord> records) {
  MetadataEdit edit;
  edit.inserts = std::move(records);
  std::sort(edit.inserts.begin(), edit.inserts.end(), before);
  return edit;
}

}  // namespace repoupdate::sample
