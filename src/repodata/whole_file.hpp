// SPDX-License-Identifier: Apache-2.0
// For the tests of this room: files as other tools write them, compressed from front to back in one go.
#pragma once

#include <zlib.h>
#include <zstd.h>

#include <new>
#include <string>
#include <string_view>

#include "repodata/compression.hpp"

namespace repoupdate::sample {

// One gzip member at level 6.
inline std::string whole_gzip(std::string_view open) {
  z_stream stream{};
  if (deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::bad_alloc();
  std::string stored(deflateBound(&stream, open.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(open.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(open.size());
  stream.next_out = reinterpret_cast<Bytef*>(stored.data());
  stream.avail_out = static_cast<uInt>(stored.size());
  deflate(&stream, Z_FINISH);
  stored.resize(stored.size() - stream.avail_out);
  deflateEnd(&stream);
  return stored;
}

// One zstd frame at level 7.
inline std::string whole_zstd(std::string_view open) {
  std::string stored(ZSTD_compressBound(open.size()), '\0');
  stored.resize(ZSTD_compress(stored.data(), stored.size(), open.data(), open.size(), 7));
  return stored;
}

inline std::string whole_file(Compression compression, std::string_view open) {
  return compression == Compression::zstd ? whole_zstd(open) : whole_gzip(open);
}

}  // namespace repoupdate::sample
