// SPDX-License-Identifier: Apache-2.0
// Stored metadata to open XML. What it is compressed with is told by its first bytes, never by its name:
//
//     1f 8b              gzip (RFC 1952), any number of members
//     28 b5 2f fd        zstd (RFC 8878), any number of frames; 5x 2a 4d 18 is a skippable one
//     fd '7zXZ' 00       xz, any number of streams
//     'BZh'              bzip2, any number of streams
//     '<', space, BOM    not compressed
//
// Zero bytes at the end are padding, as everywhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// A multiple of the largest known (2.5 GB); the ratio is not limited, real ones exceed 40.
inline constexpr std::uint64_t k_max_open_metadata_size = 16ULL << 30;
inline constexpr std::uint64_t k_max_xz_memory = 256ULL << 20;  // xz -9 needs 65 MiB

class Decoder {
public:
  explicit Decoder(SharedBytes stored, std::uint64_t max_open_size = k_max_open_metadata_size);
  explicit Decoder(std::string_view stored, std::uint64_t max_open_size = k_max_open_metadata_size);
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;
  ~Decoder();

  // The next piece of the open bytes, valid until the next call; empty at the end. The memory needed does not
  // depend on the sizes. corrupt: truncated, damaged, or followed by something else. unsupported: an unknown
  // compression, or larger than a limit.
  Result<std::string_view> next();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
