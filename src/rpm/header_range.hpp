// SPDX-License-Identifier: Apache-2.0
// Where the header of an RPM file lies, from the file's first bytes alone, so that a package in a store is
// read by range and its payload is never fetched.
//
//   bytes                 part               what is taken from it
//   0 .. 95               lead               the magic ed ab ee db; nothing else in it is used any more
//   96 .. 111             signature intro    8e ad e8 01, 4 reserved, index entries (u32), data bytes (u32)
//   112 ..                signature          16 bytes an index entry, then the data; padded to 8
//   header start ..       header intro       as the signature's
//   header start + 16 ..  header             as the signature's, not padded; the payload begins at its end
//
// Integers are big-endian. Source: rpm's "Package file format" (docs/manual/format*.md in rpm's tree).
// Pure arithmetic: no I/O, no librpm.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

// One read of this many bytes covers the lead, signature and header of 92 % of the packages of a large
// distribution (CentOS Stream 9 AppStream, 17,649 packages; the largest header ends at 16.8 MB).
inline constexpr std::uint64_t k_first_read = std::uint64_t{128} << 10;

// A header that claims to end beyond this is refused as corrupt.
inline constexpr std::uint64_t k_max_header_end = std::uint64_t{64} << 20;

// First byte of the header's intro, and the byte after the header: `<rpm:header-range start="" end=""/>`.
struct HeaderRange {
  std::uint64_t start = 0;
  std::uint64_t end = 0;

  bool operator==(const HeaderRange&) const = default;
};

// What the first bytes of a file say.
struct HeaderProbe {
  std::optional<HeaderRange> range;  // once known; the header is complete when range->end bytes are there
  // How many bytes, from the start of the file, must be there to go on. More than there are, unless complete;
  // never more than the file has. Three reads always suffice, one usually does.
  std::uint64_t need = 0;

  bool complete(std::uint64_t bytes_known) const { return range && bytes_known >= range->end; }
};

// `first_bytes` may be empty: then `need` is the size of the first read. At most `file_size` bytes are looked at.
// ErrorKind::corrupt: not an RPM package, counts beyond the limit, or a file that ends before its header does.
Result<HeaderProbe> probe_header(std::string_view first_bytes, std::uint64_t file_size);

}  // namespace repoupdate
