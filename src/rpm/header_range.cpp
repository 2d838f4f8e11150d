// SPDX-License-Identifier: Apache-2.0
#include "rpm/header_range.hpp"

#include <algorithm>
#include <string>

namespace repoupdate {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view k_lead_magic = "\xed\xab\xee\xdb"sv;
constexpr std::string_view k_intro_magic = "\x8e\xad\xe8\x01"sv;
constexpr std::uint64_t k_lead_bytes = 96;
constexpr std::uint64_t k_intro_bytes = 16;
constexpr std::uint64_t k_index_entry_bytes = 16;
constexpr std::uint64_t k_signature_alignment = 8;

Error corrupt(std::string message) {
  return Error{ErrorKind::corrupt, std::move(message), {}};
}

Error truncated(std::string_view part, std::uint64_t end, std::uint64_t file_size) {
  return corrupt("truncated: the " + std::string(part) + " ends at byte " + std::to_string(end) + ", the file has " +
                 std::to_string(file_size));
}

std::uint64_t read_u32(std::string_view bytes, std::uint64_t offset) {
  std::uint64_t value = 0;
  for (const char byte : bytes.substr(offset, 4)) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// True unless the bytes that are there already contradict the magic.
bool may_begin_with(std::string_view bytes, std::string_view magic) {
  const auto known = std::min(bytes.size(), magic.size());
  return bytes.substr(0, known) == magic.substr(0, known);
}

// The byte after a structure whose intro stands at `start`. No sum can overflow: both counts have 32 bits.
Result<std::uint64_t> structure_end(std::string_view bytes, std::uint64_t start, std::string_view part) {
  if (!may_begin_with(bytes.substr(start), k_intro_magic))
    return corrupt("not an RPM package: no " + std::string(part) + " magic at byte " + std::to_string(start));
  const auto entries = read_u32(bytes, start + 8);
  const auto data = read_u32(bytes, start + 12);
  const auto end = start + k_intro_bytes + entries * k_index_entry_bytes + data;
  const std::string claim = "the " + std::string(part) + " claims " + std::to_string(entries) + " entries and " +
                            std::to_string(data) + " bytes, ";
  if (entries == 0) return corrupt(claim + "which cannot be");
  if (end > k_max_header_end)
    return corrupt(claim + "more than the " + std::to_string(k_max_header_end >> 20) +
                   " MiB that are read of a package");
  return end;
}

}  // namespace

Result<HeaderProbe> probe_header(std::string_view first_bytes, std::uint64_t file_size) {
  const auto bytes = first_bytes.substr(0, file_size);
  const auto at_least = [file_size](std::uint64_t end) {
    return HeaderProbe{std::nullopt, std::min(std::max(end, k_first_read), file_size)};
  };

  if (file_size == 0) return corrupt("not an RPM package: the file is empty");
  if (!may_begin_with(bytes, k_lead_magic)) return corrupt("not an RPM package: no lead magic");
  const auto signature_intro_end = k_lead_bytes + k_intro_bytes;
  if (signature_intro_end > file_size) return truncated("signature intro", signature_intro_end, file_size);
  if (bytes.size() < signature_intro_end) return at_least(signature_intro_end);

  const auto signature_end = structure_end(bytes, k_lead_bytes, "signature");
  if (!signature_end) return signature_end.error();
  const auto start = (*signature_end + k_signature_alignment - 1) / k_signature_alignment * k_signature_alignment;
  const auto intro_end = start + k_intro_bytes;
  if (intro_end > file_size) return truncated("header intro", intro_end, file_size);
  // A large signature: the next read also takes what usually is the whole header behind it.
  if (bytes.size() < intro_end) return at_least(start + k_first_read);

  const auto end = structure_end(bytes, start, "header");
  if (!end) return end.error();
  if (*end > file_size) return truncated("header", *end, file_size);
  return HeaderProbe{HeaderRange{start, *end}, *end};
}

}  // namespace repoupdate
