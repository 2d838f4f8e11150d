// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as a compressed frame, as a whole compressed file, and as something to compress. The input is a
// compression (the lowest bit of its first byte), an open size (three bytes, the least significant first), and a frame.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "claim.hpp"
#include "repodata/decoder.hpp"
#include "repodata/frame_codec.hpp"
#include "repodata/little_endian.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_header_size = 4;
const std::string k_skippable_frame("\x5a\x2a\x4d\x18\x00\x00\x00\x00", 8);
constexpr std::uint64_t k_max_open_size = 1U << 20;  // a frame of a few bytes can claim and be more

// Everything that the reader of whole files makes of it; nothing when it refuses it.
std::optional<std::string> decode_file(std::string_view stored, std::uint64_t limit) {
  Decoder decoder(stored, limit);
  std::string open;
  for (auto piece = decoder.next();; piece = decoder.next()) {
    if (!piece) {
      claim(piece.error().kind == ErrorKind::corrupt || piece.error().kind == ErrorKind::unsupported,
            "a file that cannot be read is corrupt or unsupported");
      return std::nullopt;
    }
    if (piece->empty()) return open;
    open += *piece;
    claim(open.size() <= limit, "the reader keeps to its limit");
  }
}

// A gzip file (RFC 1952) or a zstd file of one frame.
std::string file_of(Compression compression, std::string_view frame, std::string_view open) {
  if (compression == Compression::zstd) return std::string(frame);
  std::string file("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  file.append(frame).append("\x03\0", 2);
  append_little_endian(file, crc32_of(open), 4);
  append_little_endian(file, open.size(), 4);
  return file;
}

void check_encoding(Compression compression, FrameDecoder& decoder, std::string_view open) {
  if (open.empty()) return;
  FrameEncoder encoder(compression);
  const std::string stored = encoder.encode(open, {});
  std::string again;
  claim(decoder.decode(stored, open.size(), again).ok() && again == open, "what was compressed is decompressed");
  claim(!decoder.decode(stored, open.size() + 1, again) && !decoder.decode(stored, open.size() - 1, again),
        "another open size is refused");
  claim(compression == Compression::gz || !decoder.decode(stored.substr(1), open.size(), again),
        "a zstd frame that lacks its beginning is refused");
  claim(compression == Compression::gz || !decoder.decode(stored + k_skippable_frame, open.size(), again),
        "a zstd frame with another behind it is refused");
  claim(stored == encoder.encode(open, {}), "the same bytes are compressed the same way");
  if (compression == Compression::zstd || open.size() < 2) return;

  const std::string_view first = open.substr(0, open.size() / 2), second = open.substr(first.size());
  const std::string frame = encoder.encode(first, {}) + encoder.encode(second, first);
  claim(decoder.decode(frame, open.size(), again).ok() && again == open, "segments are a frame");
}

void check(std::string_view input) {
  if (const auto open = decode_file(input, k_max_open_size))
    claim(decode_file(std::string(input).append(input), 2 * k_max_open_size) == *open + *open,
          "two files, one behind the other, are a file with the bytes of both");
  if (input.size() < k_header_size) return;
  const Compression compression = input[0] & 1 ? Compression::zstd : Compression::gz;
  const std::uint64_t open_size = std::min(read_little_endian(input.substr(1, 3)), k_max_open_size);
  const std::string_view frame = input.substr(k_header_size);

  FrameDecoder decoder(compression);
  std::string open;
  const auto decoded = decoder.decode(frame, open_size, open);
  if (decoded) {
    claim(open.size() == open_size, "a frame has the open size that it was decompressed for");
    claim(decode_file(file_of(compression, frame, open), k_max_open_size) == open,
          "a file of one frame is read as that frame is");
  } else {
    claim(decoded.error().kind == ErrorKind::corrupt, "what is no frame is corrupt");
  }
  check_encoding(compression, decoder, frame);
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
