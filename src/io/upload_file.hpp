// SPDX-License-Identifier: Apache-2.0
// A local file on its way into a store: read at any offset, from several threads, without changing under them
// unnoticed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

// SHA-256 in lower-case hex.
struct FileDigests {
  std::string whole;
  std::vector<std::string> parts;  // of `part_size` bytes each, the last one of what remains
};

class UploadFile {
public:
  // ErrorKind::not_found, denied, io, or invalid for what is no regular file.
  static Result<UploadFile> open(const std::filesystem::path& path);
  UploadFile(UploadFile&& other) noexcept;
  UploadFile& operator=(UploadFile&&) = delete;
  ~UploadFile();

  std::uint64_t size() const { return m_size; }  // when it was opened

  // Some bytes, at least one, from `offset` (below size()) on, held by `buffer`. ErrorKind::corrupt when the file
  // ends before the size that it had when it was opened.
  Result<std::string_view> read(std::uint64_t offset, std::string& buffer) const;

  Result<FileDigests> digest(std::uint64_t part_size) const;

private:
  UploadFile(int descriptor, std::string path, std::uint64_t size);

  int m_descriptor;
  std::string m_path;
  std::uint64_t m_size;
};

}  // namespace repoupdate
