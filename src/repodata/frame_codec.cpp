// SPDX-License-Identifier: Apache-2.0
#include "repodata/frame_codec.hpp"

#include <libdeflate.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>
#include <cassert>
#include <new>
#include <utility>
#include <variant>
#include <vector>

namespace repoupdate {
namespace {

constexpr int k_gzip_level = 6;
constexpr int k_raw_window = -15;  // 32 KiB, nothing around the deflate blocks
constexpr int k_gzip_memory = 8;   // for segments, 9 is slower and no smaller
constexpr int k_zstd_level = 7;    // half the time of createrepo_c's 10 for 4 % more bytes
constexpr std::size_t k_room_size = 64U << 10;
constexpr std::size_t k_max_input_step = 1U << 30;  // zlib counts with 32 bits

// An empty block, marked as the final one, in fixed codes (RFC 1951, 3.2.6).
constexpr std::string_view k_final_block("\x03\x00", 2);
constexpr std::string_view k_zstd_magic = "\x28\xb5\x2f\xfd";

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, "a frame " + std::move(message), {}};
}
Error other_size(std::uint64_t open_size) {
  return corrupt("does not decompress to " + std::to_string(open_size) + " bytes");
}

// To be overwritten: a buffer that is too small is given up before there is a larger one, and not copied there.
void make_room(std::string& buffer, std::uint64_t size) {
  if (buffer.capacity() < size) buffer = {};
  buffer.resize(static_cast<std::size_t>(size));
}

class GzipFrameDecoder {
public:
  GzipFrameDecoder() {
    if (!m_decompressor) throw std::bad_alloc();
  }
  GzipFrameDecoder(const GzipFrameDecoder&) = delete;
  GzipFrameDecoder& operator=(const GzipFrameDecoder&) = delete;
  ~GzipFrameDecoder() { libdeflate_free_decompressor(m_decompressor); }

  // libdeflate wants a whole stream, so the final block is put behind the frame. That it is reached, and with it
  // everything used up, shows that the frame ends with a block, on a byte boundary.
  Result<void> decode(std::string_view stored, std::uint64_t open_size, std::string& open) {
    m_stream.assign(stored);
    m_stream += k_final_block;
    make_room(open, open_size);
    std::size_t consumed = 0;
    const libdeflate_result result = libdeflate_deflate_decompress_ex(m_decompressor, m_stream.data(), m_stream.size(),
                                                                      open.data(), open.size(), &consumed, nullptr);
    if (result == LIBDEFLATE_SHORT_OUTPUT || result == LIBDEFLATE_INSUFFICIENT_SPACE) return other_size(open_size);
    if (result != LIBDEFLATE_SUCCESS) return corrupt("cannot be decompressed (deflate)");
    if (consumed != m_stream.size()) return corrupt("ends before its last byte");
    return {};
  }

private:
  libdeflate_decompressor* m_decompressor = libdeflate_alloc_decompressor();
  std::string m_stream;
};

class ZstdFrameDecoder {
public:
  ZstdFrameDecoder() {
    if (!m_context) throw std::bad_alloc();
  }
  ZstdFrameDecoder(const ZstdFrameDecoder&) = delete;
  ZstdFrameDecoder& operator=(const ZstdFrameDecoder&) = delete;
  ~ZstdFrameDecoder() { ZSTD_freeDCtx(m_context); }

  Result<void> decode(std::string_view stored, std::uint64_t open_size, std::string& open) {
    if (!stored.starts_with(k_zstd_magic)) return corrupt("is none of zstd");
    if (ZSTD_findFrameCompressedSize(stored.data(), stored.size()) != stored.size())
      return corrupt("does not end where it should (zstd)");
    if (ZSTD_getFrameContentSize(stored.data(), stored.size()) != open_size) return other_size(open_size);
    make_room(open, open_size);
    const std::size_t size = ZSTD_decompressDCtx(m_context, open.data(), open.size(), stored.data(), stored.size());
    if (ZSTD_isError(size)) return corrupt(std::string("cannot be decompressed (zstd): ") + ZSTD_getErrorName(size));
    return {};
  }

private:
  ZSTD_DCtx* m_context = ZSTD_createDCtx();
};

class GzipFrameEncoder {
public:
  GzipFrameEncoder() {
    if (deflateInit2(&m_stream, k_gzip_level, Z_DEFLATED, k_raw_window, k_gzip_memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  GzipFrameEncoder(const GzipFrameEncoder&) = delete;
  GzipFrameEncoder& operator=(const GzipFrameEncoder&) = delete;
  ~GzipFrameEncoder() { deflateEnd(&m_stream); }

  std::string encode(std::string_view open, std::string_view history) {
    deflateReset(&m_stream);
    history.remove_prefix(history.size() - std::min(history.size(), k_deflate_history));
    if (!history.empty())
      deflateSetDictionary(&m_stream, reinterpret_cast<const Bytef*>(history.data()),
                           static_cast<uInt>(history.size()));
    std::string stored;
    while (!open.empty()) {
      const std::string_view step = open.substr(0, k_max_input_step);
      open.remove_prefix(step.size());
      compress(step, open.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH, stored);
    }
    return stored;
  }

private:
  void compress(std::string_view open, int flush, std::string& stored) {
    m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(open.data()));  // zlib does not write there
    m_stream.avail_in = static_cast<uInt>(open.size());
    do {
      m_stream.next_out = reinterpret_cast<Bytef*>(m_room.data());
      m_stream.avail_out = static_cast<uInt>(m_room.size());
      deflate(&m_stream, flush);
      stored.append(m_room.data(), m_room.size() - m_stream.avail_out);
    } while (m_stream.avail_out == 0);
  }

  z_stream m_stream{};
  std::vector<char> m_room = std::vector<char>(k_room_size);
};

// A third of the level's memory for a large frame, less for a small one, and faster: a smaller table stays in the cache
// (docs/decisions/0006).
int zstd_hash_log(std::size_t open_size) {
  return std::clamp(static_cast<int>(std::bit_width(open_size)) - 3, 16, 18);
}

class ZstdFrameEncoder {
public:
  ZstdFrameEncoder() {
    if (!m_context) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_compressionLevel, k_zstd_level);
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_contentSizeFlag, 1);
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_checksumFlag, 1);
  }
  ZstdFrameEncoder(const ZstdFrameEncoder&) = delete;
  ZstdFrameEncoder& operator=(const ZstdFrameEncoder&) = delete;
  ~ZstdFrameEncoder() { ZSTD_freeCCtx(m_context); }

  std::string encode(std::string_view open, std::string_view history) {
    assert(history.empty());
    static_cast<void>(history);
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_hashLog, zstd_hash_log(open.size()));
    // Not filled: what is never written takes no memory.
    const std::size_t room_size = ZSTD_compressBound(open.size());
    const auto room = std::make_unique_for_overwrite<char[]>(room_size);
    const std::size_t size = ZSTD_compress2(m_context, room.get(), room_size, open.data(), open.size());
    if (ZSTD_isError(size)) throw std::bad_alloc();  // nothing else can happen with these parameters
    return {room.get(), size};
  }

private:
  ZSTD_CCtx* m_context = ZSTD_createCCtx();
};

}  // namespace

struct FrameDecoder::State {
  std::variant<GzipFrameDecoder, ZstdFrameDecoder> decoder;
};

FrameDecoder::FrameDecoder(Compression compression) : m_state(std::make_unique<State>()) {
  if (compression == Compression::zstd) m_state->decoder.emplace<ZstdFrameDecoder>();
}
FrameDecoder::FrameDecoder(FrameDecoder&&) noexcept = default;
FrameDecoder& FrameDecoder::operator=(FrameDecoder&&) noexcept = default;
FrameDecoder::~FrameDecoder() = default;

Result<void> FrameDecoder::decode(std::string_view stored, std::uint64_t open_size, std::string& open) {
  if (open_size > k_max_frame_size)
    return corrupt("claims more than " + std::to_string(k_max_frame_size) + " open bytes");
  return std::visit([&](auto& chosen) { return chosen.decode(stored, open_size, open); }, m_state->decoder);
}

struct FrameEncoder::State {
  std::variant<GzipFrameEncoder, ZstdFrameEncoder> encoder;
};

FrameEncoder::FrameEncoder(Compression compression) : m_state(std::make_unique<State>()) {
  if (compression == Compression::zstd) m_state->encoder.emplace<ZstdFrameEncoder>();
}
FrameEncoder::FrameEncoder(FrameEncoder&&) noexcept = default;
FrameEncoder& FrameEncoder::operator=(FrameEncoder&&) noexcept = default;
FrameEncoder::~FrameEncoder() = default;

std::string FrameEncoder::encode(std::string_view open, std::string_view history) {
  return std::visit([&](auto& chosen) { return chosen.encode(open, history); }, m_state->encoder);
}

std::uint32_t crc32_of(std::string_view bytes) {
  return libdeflate_crc32(0, bytes.data(), bytes.size());
}

std::uint32_t combine_crc32(std::uint32_t first, std::uint32_t second, std::uint64_t second_size) {
  return static_cast<std::uint32_t>(crc32_combine(first, second, static_cast<z_off_t>(second_size)));
}

}  // namespace repoupdate
