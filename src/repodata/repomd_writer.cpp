// SPDX-License-Identifier: Apache-2.0
// Writing repomd.xml, and the rules by which it changes from one generation to the next.
#include <algorithm>
#include <charconv>

#include "repodata/repomd.hpp"
#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
constexpr std::string_view k_root_tag =
    "<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">";

// A revision from here on (2001-09-09) is a Unix time; below it is somebody's counter.
constexpr std::int64_t k_first_time_revision = 1'000'000'000;

// SHA-1 under the name that every client knows, the oldest yum too.
std::string_view checksum_type(HashType type) {
  return type == HashType::sha1 ? "sha" : to_string(type);
}

void write_element(std::string& xml, std::string_view name, std::string_view attributes, std::string_view text) {
  xml.append("    <").append(name).append(attributes).append(">");
  xml.append(text).append("</").append(name).append(">\n");
}

void write_checksum(std::string& xml, std::string_view name, const std::optional<Checksum>& checksum) {
  if (!checksum) return;
  write_element(xml, name, " type=\"" + std::string(checksum_type(checksum->type)) + '"', checksum->hex);
}

void write_number(std::string& xml, std::string_view name, const std::optional<std::uint64_t>& number) {
  if (number) write_element(xml, name, "", std::to_string(*number));
}

void write_record(std::string& xml, const RepomdRecord& record) {
  if (!record.raw.empty()) {
    xml += "  " + record.raw + '\n';
    return;
  }
  xml += "  <data type=\"" + escape(record.type) + "\">\n";
  write_checksum(xml, "checksum", record.checksum);
  write_checksum(xml, "open-checksum", record.open_checksum);
  xml += "    <location ";
  if (!record.location_base.empty()) xml += "xml:base=\"" + escape(record.location_base) + "\" ";
  xml += "href=\"" + escape(record.location_href) + "\"/>\n";
  write_element(xml, "timestamp", "", std::to_string(record.timestamp));
  write_number(xml, "size", record.size);
  write_number(xml, "open-size", record.open_size);
  xml += "  </data>\n";
}

}  // namespace

std::string write_repomd(const Repomd& repomd) {
  std::string xml(k_declaration);
  xml.append(repomd.root_tag.empty() ? k_root_tag : repomd.root_tag).append("\n");
  if (!repomd.revision.empty()) xml += "  <revision>" + escape(repomd.revision) + "</revision>\n";
  for (const std::string* raw : {&repomd.raw_tags, &repomd.raw_others})
    if (!raw->empty()) xml += "  " + *raw + '\n';
  for (const RepomdRecord& record : repomd.records) write_record(xml, record);
  return xml + "</repomd>\n";
}

std::string next_revision(std::string_view old, SystemTime now) {
  constexpr std::size_t k_max_digits = 18;  // fits, also with one more
  const std::int64_t seconds = now.time_since_epoch().count();
  if (old.empty()) return std::to_string(seconds);
  if (old.size() > k_max_digits || old.find_first_not_of("0123456789") != std::string_view::npos)
    return std::string(old);
  std::int64_t number = 0;
  std::from_chars(old.data(), old.data() + old.size(), number);
  return std::to_string(number < k_first_time_revision ? number + 1 : std::max(seconds, number + 1));
}

bool is_derived_record(std::string_view type) {
  constexpr std::string_view k_with_file_hashes = "filelists-ext";  // createrepo_c --filelists-ext
  const auto is_made_from = [&](std::string_view name) {
    if (!type.starts_with(name)) return false;
    const std::string_view suffix = type.substr(name.size());
    return suffix == "_db" || suffix == "_zck";
  };
  return type == k_with_file_hashes || is_made_from(k_with_file_hashes) ||
         std::any_of(k_metadata_kinds.begin(), k_metadata_kinds.end(),
                     [&](const MetadataKindInfo& about) { return is_made_from(about.name); });
}

}  // namespace repoupdate
