// SPDX-License-Identifier: Apache-2.0
#include "rpm/allowed_text.hpp"

#include <algorithm>
#include <cstdint>

namespace repoupdate {
namespace {

std::uint32_t byte_at(std::string_view text, std::size_t position) {
  return static_cast<unsigned char>(text[position]);
}

// Bytes of the sequence that a byte begins; 0 for a byte that begins none.
std::size_t sequence_length(std::uint32_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc0) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf8 ? 4 : 0;
}

bool is_allowed(std::uint32_t character) {
  if (character < 0x20) return character == '\t' || character == '\n' || character == '\r';
  const bool surrogate = character >= 0xd800 && character <= 0xdfff;
  return !surrogate && character != 0xfffe && character != 0xffff && character <= 0x10ffff;
}

// `sequence` has the shape of UTF-8 and its full length.
bool is_allowed_sequence(std::string_view sequence) {
  constexpr std::uint32_t k_lead_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
  constexpr std::uint32_t k_smallest[] = {0, 0x80, 0x800, 0x10000};
  std::uint32_t character = byte_at(sequence, 0) & k_lead_bits[sequence.size() - 1];
  for (std::size_t i = 1; i < sequence.size(); ++i) character = character << 6 | (byte_at(sequence, i) & 0x3f);
  return character >= k_smallest[sequence.size() - 1] && is_allowed(character);
}

// Calls visit(bytes of one character, whether XML allows it) along the text.
template <typename Visit>
void for_each_character(std::string_view text, Visit visit) {
  const bool utf8 = is_utf8(text);
  while (!text.empty()) {
    const auto length = utf8 ? sequence_length(byte_at(text, 0)) : 1;
    const auto sequence = text.substr(0, length);
    visit(sequence, utf8 ? is_allowed_sequence(sequence) : is_allowed(byte_at(text, 0)));
    text.remove_prefix(length);
  }
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(byte_at(text, 0));
    if (length == 0 || length > text.size()) return false;
    const auto rest = text.substr(1, length - 1);
    const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    if (!std::all_of(rest.begin(), rest.end(), continues)) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_xml_text(std::string_view text) {
  bool clean = true;
  for_each_character(text, [&clean](std::string_view, bool allowed) { clean = clean && allowed; });
  return clean;
}

std::string keep_xml_text(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  for_each_character(text, [&kept](std::string_view sequence, bool allowed) {
    if (allowed) kept += sequence;
  });
  return kept;
}

}  // namespace repoupdate
