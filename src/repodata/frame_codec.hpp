// SPDX-License-Identifier: Apache-2.0
// One frame or segment (segment_table.hpp), compressed and back. Objects keep their working memory: one for each
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "repodata/compression.hpp"

namespace repoupdate {

inline constexpr std::size_t k_deflate_history = 32U << 10;  // how far back deflate can refer (RFC 1951)

// Of a frame, stored or open: a fragment of k_max_fragment_size, a gap of the same, and what they cost to store.
inline constexpr std::uint64_t k_max_frame_size = 600ULL << 20;

class FrameDecoder {
public:
  explicit FrameDecoder(Compression compression);
  FrameDecoder(FrameDecoder&&) noexcept;
  FrameDecoder& operator=(FrameDecoder&&) noexcept;
  ~FrameDecoder();

  // `stored` is one whole frame; `open` becomes its open bytes, and is anything after a failure. corrupt when it is
  // damaged, is not exactly one frame, refers to bytes before it, or has another open size, or one that is larger
  // than k_max_frame_size. gz frames carry no checksum: compare crc32_of(open).
  Result<void> decode(std::string_view stored, std::uint64_t open_size, std::string& open);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

class FrameEncoder {
public:
  explicit FrameEncoder(Compression compression);
  FrameEncoder(FrameEncoder&&) noexcept;
  FrameEncoder& operator=(FrameEncoder&&) noexcept;
  ~FrameEncoder();

  // gz: deflate blocks at level 6 that end on a byte boundary, none of them the final one, and may refer to the end
  // of `history` (of its last k_deflate_history bytes). zstd: one frame at level 7 with its content size and
  // checksum; `history` must be empty. `open` is never empty. The same arguments give the same bytes.
  std::string encode(std::string_view open, std::string_view history);

private:
  struct State;
  std::unique_ptr<State> m_state;
};

// CRC-32 as gzip has it (RFC 1952, section 8).
std::uint32_t crc32_of(std::string_view bytes);

// Of two byte strings, one behind the other, from the CRC-32 of each and the size of the second.
std::uint32_t combine_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_size);

}  // namespace repoupdate
