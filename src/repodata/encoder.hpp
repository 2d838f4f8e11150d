// SPDX-License-Identifier: Apache-2.0
// Open XML to what is stored. gzip is written as ONE member without name or time: Java's GZIPInputStream and some
// one-shot decoders silently stop after the first member. zstd is one frame with a content checksum.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "model/checksum.hpp"
#include "repodata/compression.hpp"

namespace repoupdate {

// A metadata file ready to be put, with what repomd.xml says about it (invariant I8).
struct EncodedFile {
  std::string bytes;
  Compression compression = Compression::gz;
  Checksum checksum;       // of bytes
  Checksum open_checksum;  // of what was written
  std::uint64_t open_size = 0;
  std::string sha256;  // hex, of bytes, whatever the type of `checksum`
};

// The bytes depend on what is written only, not on the pieces in which it is.
class Encoder {
public:
  Encoder(Compression compression, HashType checksum_type);
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;
  ~Encoder();

  void write(std::string_view open);
  EncodedFile finish();  // the encoder must not be used afterwards

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
