// SPDX-License-Identifier: Apache-2.0
// A file that is compressed and hashed while it is written: one gzip member or one zstd frame.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "repodata/compression.hpp"

namespace repoupdate::bench {

// What createrepo_c uses.
inline constexpr int k_gzip_level = 6;
inline constexpr int k_zstd_level = 10;

struct WrittenFile {
  std::string sha256;  // hex, of the stored bytes
  std::string open_sha256;
  std::uint64_t size = 0;
  std::uint64_t open_size = 0;
};

class CompressedFile {
public:
  CompressedFile(const std::filesystem::path& path, Compression compression, int level);
  ~CompressedFile();
  CompressedFile(const CompressedFile&) = delete;
  CompressedFile& operator=(const CompressedFile&) = delete;

  void write(std::string_view open);
  // Also reports what went wrong before. The file must not be used afterwards.
  Result<WrittenFile> finish();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate::bench
