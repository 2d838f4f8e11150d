// SPDX-License-Identifier: Apache-2.0
#include "testkit/package_builder.hpp"

#include <cstdint>
#include <vector>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

// Types and tags of rpmtag.h.
constexpr std::uint32_t k_int16 = 3, k_int32 = 4, k_string = 6, k_bin = 7, k_string_array = 8;
constexpr std::uint32_t k_header_signatures = 62, k_header_immutable = 63, k_sha256header = 273;
constexpr std::uint32_t k_dsa = 267, k_gpg = 1005;

void append_u32(std::string& bytes, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

// A header: magic, two counts, 16 bytes an entry, the data. The region entry comes first in the index, and its
// trailer last in the data.
class HeaderBuilder {
public:
  explicit HeaderBuilder(std::uint32_t region) : m_region(region) {}

  void add_string(std::uint32_t tag, const std::string& text) {
    m_entries.push_back({tag, k_string, m_data.size(), 1});
    m_data += text + '\0';
  }
  void add_strings(std::uint32_t tag, const std::vector<std::string>& texts) {
    m_entries.push_back({tag, k_string_array, m_data.size(), static_cast<std::uint32_t>(texts.size())});
    for (const auto& text : texts) m_data += text + '\0';
  }
  void add_binary(std::uint32_t tag, const std::string& bytes) {
    m_entries.push_back({tag, k_bin, m_data.size(), static_cast<std::uint32_t>(bytes.size())});
    m_data += bytes;
  }
  void add_int32(std::uint32_t tag, std::uint32_t number, std::size_t times = 1) {
    m_data.resize((m_data.size() + 3) / 4 * 4);
    m_entries.push_back({tag, k_int32, m_data.size(), static_cast<std::uint32_t>(times)});
    for (; times > 0; --times) append_u32(m_data, number);
  }
  void add_int16(std::uint32_t tag, std::uint16_t number, std::size_t times) {
    m_data.resize((m_data.size() + 1) / 2 * 2);
    m_entries.push_back({tag, k_int16, m_data.size(), static_cast<std::uint32_t>(times)});
    for (; times > 0; --times) m_data.append({static_cast<char>(number >> 8), static_cast<char>(number)});
  }

  std::string finish() const {
    const auto count = static_cast<std::uint32_t>(m_entries.size() + 1);
    std::string bytes("\x8e\xad\xe8\x01\0\0\0\0", 8);
    append_u32(bytes, count);
    append_u32(bytes, static_cast<std::uint32_t>(m_data.size() + 16));
    append_entry(bytes, {m_region, k_bin, m_data.size(), 16});
    for (const auto& entry : m_entries) append_entry(bytes, entry);
    bytes += m_data;
    append_u32(bytes, m_region);
    append_u32(bytes, k_bin);
    append_u32(bytes, static_cast<std::uint32_t>(-16 * static_cast<std::int32_t>(count)));
    append_u32(bytes, 16);
    return bytes;
  }

private:
  struct Entry {
    std::uint32_t tag, type;
    std::size_t offset;
    std::uint32_t count;
  };
  static void append_entry(std::string& bytes, const Entry& entry) {
    append_u32(bytes, entry.tag);
    append_u32(bytes, entry.type);
    append_u32(bytes, static_cast<std::uint32_t>(entry.offset));
    append_u32(bytes, entry.count);
  }

  std::uint32_t m_region;
  std::vector<Entry> m_entries;
  std::string m_data;
};

std::string payload(std::size_t size) {
  return std::string(size, 'p');
}

}  // namespace

std::string build_header(const Nevra& nevra, const PackageExtras& extras) {
  HeaderBuilder header(k_header_immutable);
  header.add_string(1000, nevra.name);
  header.add_string(1001, nevra.version);
  header.add_string(1002, nevra.release);
  if (nevra.epoch != "0") header.add_int32(1003, static_cast<std::uint32_t>(std::stoul(nevra.epoch)));
  header.add_string(1004, "summary of " + nevra.name);
  header.add_int32(1006, 1'700'000'000);  // build time
  header.add_int32(1009, 4096);           // installed size
  if (!extras.vendor.empty()) header.add_string(1011, extras.vendor);
  header.add_string(1014, "MIT");
  header.add_string(1021, "linux");
  header.add_string(1022, nevra.arch);
  if (extras.files > 0) {
    header.add_int16(1030, 0100644, extras.files);  // modes
    header.add_int32(1037, 0, extras.files);        // flags
  }
  header.add_string(1044, nevra.name + '-' + nevra.version + '-' + nevra.release + ".src.rpm");
  if (extras.files > 0) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < extras.files; ++i) names.push_back("a-file-of-the-package-" + std::to_string(i));
    header.add_int32(1116, 0, extras.files);  // each in the first directory
    header.add_strings(1117, names);
    header.add_strings(1118, {"/usr/share/" + nevra.name + '/'});
  }
  if (!extras.payload_digest.empty()) {
    header.add_strings(5092, {extras.payload_digest});
    header.add_int32(5093, 8);  // SHA-256
  }
  return header.finish();
}

std::string build_package(const Nevra& nevra, std::size_t payload_size) {
  return build_package(nevra, payload_size, {.payload_digest = sha256_hex(payload(payload_size))});
}

std::string build_package(const Nevra& nevra, std::size_t payload_size, const PackageExtras& extras) {
  const std::string header = build_header(nevra, extras);
  HeaderBuilder signature(k_header_signatures);
  if (!extras.header_signature.empty()) signature.add_binary(k_dsa, extras.header_signature);
  signature.add_string(k_sha256header, sha256_hex(header));
  if (!extras.package_signature.empty()) signature.add_binary(k_gpg, extras.package_signature);

  std::string file("\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01", 10);
  file += nevra.name;
  file.resize(76);
  file += std::string("\x00\x01\x00\x05", 4);  // Linux, signature as a header
  file.resize(96);
  file += signature.finish();
  file.resize((file.size() + 7) / 8 * 8);
  file += header;
  return file + payload(payload_size);
}

}  // namespace repoupdate
