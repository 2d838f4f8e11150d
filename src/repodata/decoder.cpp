// SPDX-License-Identifier: Apache-2.0
#include "repodata/decoder.hpp"

#include <bzlib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "repodata/xml_text.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_piece_size = 256U << 10;  // of open bytes
constexpr std::size_t k_input_size = 256U << 10;  // of stored bytes that are read at once
constexpr std::size_t k_magic_size = 6;           // enough to tell every format

// What one call of a library did. `ended`: the member, frame or stream is complete.
struct Progress {
  std::size_t consumed = 0;
  std::size_t produced = 0;
  bool ended = false;
};

Error corrupt(std::string message) {
  return {ErrorKind::corrupt, std::move(message), {}};
}
Error unsupported(std::string message) {
  return {ErrorKind::unsupported, std::move(message), {}};
}

// Each of these turns input into output until one of them is used up. restart() prepares for a further member.

class PlainCodec {
public:
  Result<Progress> run(std::string_view in, std::span<char> out) {
    const std::size_t count = std::min(in.size(), out.size());
    std::copy_n(in.begin(), count, out.begin());
    return Progress{count, count, false};
  }
  void restart() {}
};

class GzipCodec {
public:
  GzipCodec() {
    if (inflateInit2(&m_stream, 15 + 16) != Z_OK) throw std::bad_alloc();
  }
  GzipCodec(const GzipCodec&) = delete;
  GzipCodec& operator=(const GzipCodec&) = delete;
  ~GzipCodec() { inflateEnd(&m_stream); }

  Result<Progress> run(std::string_view in, std::span<char> out) {
    m_stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib does not write there
    m_stream.avail_in = static_cast<uInt>(in.size());
    m_stream.next_out = reinterpret_cast<Bytef*>(out.data());
    m_stream.avail_out = static_cast<uInt>(out.size());
    const int code = inflate(&m_stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      return corrupt(std::string("gzip: ") + (m_stream.msg ? m_stream.msg : "cannot be decompressed"));
    return Progress{in.size() - m_stream.avail_in, out.size() - m_stream.avail_out, code == Z_STREAM_END};
  }
  void restart() { inflateReset(&m_stream); }

private:
  z_stream m_stream{};
};

class ZstdCodec {
public:
  ZstdCodec() {
    if (!m_context) throw std::bad_alloc();
  }
  ZstdCodec(const ZstdCodec&) = delete;
  ZstdCodec& operator=(const ZstdCodec&) = delete;
  ~ZstdCodec() { ZSTD_freeDCtx(m_context); }

  Result<Progress> run(std::string_view in, std::span<char> out) {
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    const std::size_t left = ZSTD_decompressStream(m_context, &output, &input);
    if (ZSTD_isError(left)) return corrupt(std::string("zstd: ") + ZSTD_getErrorName(left));
    return Progress{input.pos, output.pos, left == 0};
  }
  void restart() {}  // it goes on with the next frame by itself

private:
  ZSTD_DCtx* m_context = ZSTD_createDCtx();
};

class XzCodec {
public:
  XzCodec() { restart(); }
  XzCodec(const XzCodec&) = delete;
  XzCodec& operator=(const XzCodec&) = delete;
  ~XzCodec() { lzma_end(&m_stream); }

  Result<Progress> run(std::string_view in, std::span<char> out) {
    m_stream.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    m_stream.avail_in = in.size();
    m_stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    m_stream.avail_out = out.size();
    const lzma_ret code = lzma_code(&m_stream, LZMA_RUN);
    if (code == LZMA_MEMLIMIT_ERROR)
      return unsupported("xz: needs more than " + std::to_string(k_max_xz_memory >> 20) + " MiB to decompress");
    if (code == LZMA_MEM_ERROR) throw std::bad_alloc();
    if (code != LZMA_OK && code != LZMA_STREAM_END && code != LZMA_BUF_ERROR)
      return corrupt("xz: the data are damaged");
    return Progress{in.size() - m_stream.avail_in, out.size() - m_stream.avail_out, code == LZMA_STREAM_END};
  }
  void restart() {
    if (lzma_stream_decoder(&m_stream, k_max_xz_memory, 0) != LZMA_OK) throw std::bad_alloc();
  }

private:
  lzma_stream m_stream = LZMA_STREAM_INIT;
};

class Bzip2Codec {
public:
  Bzip2Codec() { start(); }
  Bzip2Codec(const Bzip2Codec&) = delete;
  Bzip2Codec& operator=(const Bzip2Codec&) = delete;
  ~Bzip2Codec() { BZ2_bzDecompressEnd(&m_stream); }

  Result<Progress> run(std::string_view in, std::span<char> out) {
    m_stream.next_in = const_cast<char*>(in.data());  // libbz2 does not write there
    m_stream.avail_in = static_cast<unsigned>(in.size());
    m_stream.next_out = out.data();
    m_stream.avail_out = static_cast<unsigned>(out.size());
    const int code = BZ2_bzDecompress(&m_stream);
    if (code != BZ_OK && code != BZ_STREAM_END) return corrupt("bzip2: the data are damaged");
    return Progress{in.size() - m_stream.avail_in, out.size() - m_stream.avail_out, code == BZ_STREAM_END};
  }
  void restart() {
    BZ2_bzDecompressEnd(&m_stream);
    m_stream = {};
    start();
  }

private:
  void start() {
    if (BZ2_bzDecompressInit(&m_stream, 0, 0) != BZ_OK) throw std::bad_alloc();
  }
  bz_stream m_stream{};
};

enum class Format { gzip, zstd, xz, bzip2, plain };

std::optional<Format> detect(std::string_view bytes) {
  if (bytes.starts_with("\x1f\x8b")) return Format::gzip;
  if (bytes.starts_with("\x28\xb5\x2f\xfd")) return Format::zstd;
  if (bytes.size() >= 4 && (bytes[0] & '\xf0') == 0x50 && bytes.substr(1).starts_with("\x2a\x4d\x18"))
    return Format::zstd;
  if (bytes.starts_with(std::string_view("\xfd"
                                         "7zXZ\0",
                                         6)))
    return Format::xz;
  if (bytes.starts_with("BZh")) return Format::bzip2;
  if (bytes.starts_with(k_utf8_bom) || bytes.find_first_of("< \t\r\n") == 0) return Format::plain;
  return std::nullopt;
}

using Codec = std::variant<PlainCodec, GzipCodec, ZstdCodec, XzCodec, Bzip2Codec>;

void choose(Codec& codec, Format format) {
  switch (format) {
    case Format::gzip: codec.emplace<GzipCodec>(); break;
    case Format::zstd: codec.emplace<ZstdCodec>(); break;
    case Format::xz: codec.emplace<XzCodec>(); break;
    case Format::bzip2: codec.emplace<Bzip2Codec>(); break;
    case Format::plain: codec.emplace<PlainCodec>(); break;
  }
}

}  // namespace

struct Decoder::State {
  Result<void> refill();
  Result<void> start();
  Result<void> end_member();
  bool at_end() const { return rest.empty() && offset == stored->size(); }

  SharedBytes stored;
  std::uint64_t offset = 0;  // of what is read next
  std::string input;
  std::string_view rest;  // of the input
  std::uint64_t max_open_size;
  std::uint64_t open_size = 0;
  std::optional<Format> format;  // none before the first call
  Codec codec;
  std::vector<char> piece = std::vector<char>(k_piece_size);
  bool done = false;
};

// Keeps enough input to tell a format, and some for the codec.
Result<void> Decoder::State::refill() {
  if (rest.size() >= k_magic_size || offset == stored->size()) return {};
  input.erase(0, input.size() - rest.size());
  const std::size_t kept = input.size();
  input.resize(kept + static_cast<std::size_t>(std::min<std::uint64_t>(k_input_size, stored->size() - offset)));
  const auto fresh = std::span(input).subspan(kept);
  if (auto read = stored->read(offset, fresh); !read) return read;
  offset += fresh.size();
  rest = input;
  return {};
}

Result<void> Decoder::State::start() {
  if (auto filled = refill(); !filled) return filled;
  if (rest.empty()) return corrupt("it is empty");
  format = detect(rest);
  if (!format) return unsupported("it is neither XML nor compressed with gzip, zstd, xz or bzip2");
  choose(codec, *format);
  return {};
}

// Behind a member: the end, padding up to the end, or a further member.
Result<void> Decoder::State::end_member() {
  for (;;) {
    rest.remove_prefix(std::min(rest.find_first_not_of('\0'), rest.size()));
    if (!rest.empty() || at_end()) break;
    if (auto filled = refill(); !filled) return filled;
  }
  done = rest.empty();
  if (done) return {};
  if (auto filled = refill(); !filled) return filled;
  if (detect(rest) != format) return corrupt("something else follows its compressed data");
  std::visit([](auto& chosen) { chosen.restart(); }, codec);
  return {};
}

Decoder::Decoder(SharedBytes stored, std::uint64_t max_open_size) : m_state(std::make_unique<State>()) {
  m_state->stored = std::move(stored);
  m_state->max_open_size = max_open_size;
}
Decoder::Decoder(std::string_view stored, std::uint64_t max_open_size)
    : Decoder(in_memory(std::string(stored)), max_open_size) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

Result<std::string_view> Decoder::next() {
  State& state = *m_state;
  if (!state.format) {
    if (auto started = state.start(); !started) return std::move(started).error();
  }
  while (!state.done) {
    if (auto filled = state.refill(); !filled) return std::move(filled).error();
    auto progress = std::visit([&](auto& chosen) { return chosen.run(state.rest, state.piece); }, state.codec);
    if (!progress) return std::move(progress).error();
    state.rest.remove_prefix(progress->consumed);
    state.open_size += progress->produced;
    if (state.open_size > state.max_open_size)
      return unsupported("it decompresses to more than " + std::to_string(state.max_open_size) + " bytes");
    if (progress->ended) {
      if (auto ended = state.end_member(); !ended) return std::move(ended).error();
    } else if (state.format == Format::plain) {
      state.done = state.at_end();
    } else if (progress->consumed == 0 && progress->produced == 0) {
      return corrupt("its compressed data end too early");
    }
    if (progress->produced > 0) return std::string_view(state.piece.data(), progress->produced);
  }
  return std::string_view();
}

}  // namespace repoupdate
