// SPDX-License-Identifier: Apache-2.0
// Numbers of a fixed width, least significant byte first, as gzip, zstd and the segment table have them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace repoupdate {

// The lowest `width` bytes of `number`.
inline void append_little_endian(std::string& out, std::uint64_t number, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(number >> (8 * i) & 0xff);
}

// All of `bytes`, at most 8.
inline std::uint64_t read_little_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  return number;
}

}  // namespace repoupdate
