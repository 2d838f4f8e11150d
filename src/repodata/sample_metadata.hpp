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
#include "repodata/encoder.hpp"
#include "repodata/prolog.hpp"
#include "repodata/xml_text.hpp"

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

// A repository that has these files: compressed, and named in a repomd that says what is right. The index is not
// read yet.
inline StoredRepository stored(const PerKind<std::string>& open, Compression compression = Compression::gz) {
  StoredRepository repository;
  repository.index.repomd.revision = "1700000000";
  for (const auto& about : k_metadata_kinds) {
    Encoder encoder(compression, HashType::sha256);
    encoder.write(open[about.kind]);
    EncodedFile file = encoder.finish();
    RepomdRecord record;
    record.type = about.name;
    record.location_href =
        "repodata/" + file.checksum.hex + '-' + record.type + ".xml" + std::string(file_suffix(compression));
    record.checksum = file.checksum;
    record.open_checksum = file.open_checksum;
    record.size = file.bytes.size();
    record.open_size = file.open_size;
    record.timestamp = 1'700'000'000;
    repository.index.repomd.records.push_back(record);
    repository.stored[about.kind] = std::move(file.bytes);
  }
  return repository;
}

inline std::string decode(std::string_view bytes) {
  std::string open;
  Decoder decoder(bytes);
  for (auto piece = decoder.next(); piece && !piece->empty(); piece = decoder.next()) open += *piece;
  return open;
}

inline const PublishedObject& object_of(const Publication& publication, MetadataKind kind) {
  return publication.immutable.at(index_of(kind));
}

inline PerKind<std::string> open_of(const Publication& publication) {
  PerKind<std::string> open;
  for (const auto& about : k_metadata_kinds) open[about.kind] = decode(object_of(publication, about.kind).bytes);
  return open;
}

// The repository as a reader finds it once the publication is put.
inline Result<StoredRepository> read_back(const Publication& publication) {
  StoredRepository repository;
  auto repomd = parse_repomd(publication.pointer.bytes);
  if (!repomd) return std::move(repomd).error();
  for (const auto& about : k_metadata_kinds)
    for (const auto& object : publication.immutable)
      if (object.key == repomd->find(about.kind)->location_href) repository.stored[about.kind] = object.bytes;
  auto index = read_index(*std::move(repomd), repository.stored[MetadataKind::primary]);
  if (!index) return std::move(index).error();
  repository.index = *std::move(index);
  return repository;
}

inline MetadataEdit::Erase erase_of(const RepoIndex& index, std::size_t position) {
  const IndexEntry& entry = index.entries.at(position);
  return {position, entry.location_href, entry.pkgid, entry.nevra};
}

}  // namespace repoupdate::sample
