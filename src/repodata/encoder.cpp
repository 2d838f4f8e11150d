// SPDX-License-Identifier: Apache-2.0
#include "repodata/encoder.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <new>
#include <utility>
#include <variant>
#include <vector>

namespace repoupdate {
namespace {

// Bytes that are compressed and hashed at once. The compressors see blocks of this size only, so their output
// cannot depend on the pieces in which the XML came.
constexpr std::size_t k_block_size = 256U << 10;

constexpr int k_gzip_level = 6;
constexpr int k_gzip_window = 15 + 16;  // 32 KiB, with a gzip header instead of zlib's
constexpr int k_gzip_memory = 9;
constexpr int k_zstd_level = 7;  // half the time of createrepo_c's 10 for 4 % more bytes

class GzipCompressor {
public:
  GzipCompressor() {
    if (deflateInit2(&m_stream, k_gzip_level, Z_DEFLATED, k_gzip_window, k_gzip_memory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;
  ~GzipCompressor() { deflateEnd(&m_stream); }

  void compress(std::string_view block, bool last, std::string& out) {
    m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));  // zlib does not write there
    m_stream.avail_in = static_cast<uInt>(block.size());
    do {
      m_stream.next_out = reinterpret_cast<Bytef*>(m_room.data());
      m_stream.avail_out = static_cast<uInt>(m_room.size());
      deflate(&m_stream, last ? Z_FINISH : Z_NO_FLUSH);
      out.append(m_room.data(), m_room.size() - m_stream.avail_out);
    } while (m_stream.avail_out == 0);
  }

private:
  z_stream m_stream{};
  std::vector<char> m_room = std::vector<char>(k_block_size);
};

class ZstdCompressor {
public:
  ZstdCompressor() {
    if (!m_context) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_compressionLevel, k_zstd_level);
    ZSTD_CCtx_setParameter(m_context, ZSTD_c_checksumFlag, 1);
  }
  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;
  ~ZstdCompressor() { ZSTD_freeCCtx(m_context); }

  void compress(std::string_view block, bool last, std::string& out) {
    ZSTD_inBuffer input{block.data(), block.size(), 0};
    const ZSTD_EndDirective directive = last ? ZSTD_e_end : ZSTD_e_continue;
    for (std::size_t left = 1; last ? left != 0 : input.pos < input.size;) {
      ZSTD_outBuffer output{m_room.data(), m_room.size(), 0};
      left = ZSTD_compressStream2(m_context, &output, &input, directive);
      if (ZSTD_isError(left)) throw std::bad_alloc();  // nothing else can happen with these parameters
      out.append(m_room.data(), output.pos);
    }
  }

private:
  ZSTD_CCtx* m_context = ZSTD_createCCtx();
  std::vector<char> m_room = std::vector<char>(ZSTD_CStreamOutSize());
};

}  // namespace

struct Encoder::State {
  State(Compression compression, HashType type) : open_hasher(type), stored_hasher(type), checksum_type(type) {
    if (compression == Compression::zstd) compressor.emplace<ZstdCompressor>();
    file.compression = compression;
  }

  void flush(bool last) {
    open_hasher.update(block);
    file.open_size += block.size();
    std::visit([&](auto& chosen) { chosen.compress(block, last, file.bytes); }, compressor);
    block.clear();
    const std::string_view fresh = std::string_view(file.bytes).substr(hashed);
    stored_hasher.update(fresh);
    if (checksum_type != HashType::sha256) sha256_hasher.update(fresh);
    hashed = file.bytes.size();
  }

  std::variant<GzipCompressor, ZstdCompressor> compressor;
  std::string block;
  Hasher open_hasher;
  Hasher stored_hasher;
  Hasher sha256_hasher{HashType::sha256};  // used when the repository's own type is another
  HashType checksum_type;
  std::size_t hashed = 0;  // bytes of file.bytes
  EncodedFile file;
};

Encoder::Encoder(Compression compression, HashType checksum_type)
    : m_state(std::make_unique<State>(compression, checksum_type)) {}
Encoder::Encoder(Encoder&&) noexcept = default;
Encoder& Encoder::operator=(Encoder&&) noexcept = default;
Encoder::~Encoder() = default;

void Encoder::write(std::string_view open) {
  std::string& block = m_state->block;
  while (!open.empty()) {
    const std::size_t taken = std::min(open.size(), k_block_size - block.size());
    block += open.substr(0, taken);
    open.remove_prefix(taken);
    if (block.size() == k_block_size) m_state->flush(false);
  }
}

EncodedFile Encoder::finish() {
  State& state = *m_state;
  state.flush(true);
  EncodedFile file = std::move(state.file);
  file.open_checksum = {state.checksum_type, state.open_hasher.finish_hex()};
  file.checksum = {state.checksum_type, state.stored_hasher.finish_hex()};
  file.sha256 = state.checksum_type == HashType::sha256 ? file.checksum.hex : state.sha256_hasher.finish_hex();
  return file;
}

}  // namespace repoupdate
