// SPDX-License-Identifier: Apache-2.0
#include "compressed_file.hpp"

#include <zlib.h>
#include <zstd.h>

#include <fstream>
#include <utility>

#include "base/hash.hpp"

namespace repoupdate::bench {
namespace {

constexpr int k_gzip_window = 15 + 16;  // 32 KiB; 16 asks zlib for a gzip header
constexpr int k_gzip_memory = 8;        // zlib's default
constexpr std::size_t k_stored_piece = 64 << 10;

}  // namespace

struct CompressedFile::State {
  State(const std::filesystem::path& file, Compression wanted, int level)
      : path(file), out(file, std::ios::binary), compression(wanted), piece(k_stored_piece, '\0') {
    if (compression == Compression::gz) {
      is_broken = deflateInit2(&zlib, level, Z_DEFLATED, k_gzip_window, k_gzip_memory, Z_DEFAULT_STRATEGY) != Z_OK;
    } else {
      zstd = ZSTD_createCCtx();
      is_broken = zstd == nullptr;
      if (is_broken) return;
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level);
      ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    }
  }
  ~State() {
    if (compression == Compression::gz) deflateEnd(&zlib);
    ZSTD_freeCCtx(zstd);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void store(std::size_t size) {
    const std::string_view bytes = std::string_view(piece).substr(0, size);
    hasher.update(bytes);
    out.write(bytes.data(), static_cast<std::streamsize>(size));
    written.size += size;
  }

  void deflate_all(std::string_view open, int flush) {
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(open.data()));  // zlib does not write there
    zlib.avail_in = static_cast<uInt>(open.size());
    do {
      zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
      zlib.avail_out = static_cast<uInt>(piece.size());
      is_broken = ::deflate(&zlib, flush) == Z_STREAM_ERROR;
      store(piece.size() - zlib.avail_out);
    } while (!is_broken && zlib.avail_out == 0);
  }

  void zstd_all(std::string_view open, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{open.data(), open.size(), 0};
    for (bool is_done = false; !is_done && !is_broken;) {
      ZSTD_outBuffer to{piece.data(), piece.size(), 0};
      const std::size_t left = ZSTD_compressStream2(zstd, &to, &in, end);
      is_broken = ZSTD_isError(left) != 0;
      store(to.pos);
      is_done = end == ZSTD_e_end ? left == 0 : in.pos == in.size;
    }
  }

  void compress(std::string_view open, bool is_last) {
    if (is_broken) return;
    if (compression == Compression::gz) {
      deflate_all(open, is_last ? Z_FINISH : Z_NO_FLUSH);
    } else {
      zstd_all(open, is_last ? ZSTD_e_end : ZSTD_e_continue);
    }
  }

  std::filesystem::path path;
  std::ofstream out;
  Compression compression;
  std::string piece;
  z_stream zlib{};
  ZSTD_CCtx* zstd = nullptr;
  bool is_broken = false;  // the compressor failed
  Hasher hasher{HashType::sha256};
  Hasher open_hasher{HashType::sha256};
  WrittenFile written;
};

CompressedFile::CompressedFile(const std::filesystem::path& path, Compression compression, int level)
    : m_state(std::make_unique<State>(path, compression, level)) {}

CompressedFile::~CompressedFile() = default;

void CompressedFile::write(std::string_view open) {
  m_state->open_hasher.update(open);
  m_state->written.open_size += open.size();
  m_state->compress(open, false);
}

Result<WrittenFile> CompressedFile::finish() {
  m_state->compress({}, true);
  m_state->out.close();
  if (m_state->is_broken) return Error{ErrorKind::io, "compressing " + m_state->path.string() + " failed", {}};
  if (!m_state->out) return Error{ErrorKind::io, "writing " + m_state->path.string() + " failed", {}};
  m_state->written.sha256 = m_state->hasher.finish_hex();
  m_state->written.open_sha256 = m_state->open_hasher.finish_hex();
  return std::move(m_state->written);
}

}  // namespace repoupdate::bench
