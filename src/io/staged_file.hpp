// SPDX-License-Identifier: Apache-2.0
// How a file appears whole or not at all: written under a hidden name beside its place, then renamed there.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {

inline constexpr std::string_view k_staged_prefix = ".repoupdate-";

// Removes its file when it is destroyed before publish() succeeded. A process that is killed may leave one
// behind; its name begins with k_staged_prefix and nobody lists it.
class StagedFile {
public:
  // In `directory`, with the permissions rw-r--r-- less the umask.
  static Result<StagedFile> create(const std::string& directory);

  StagedFile(StagedFile&&) noexcept;
  StagedFile& operator=(StagedFile&&) = delete;
  ~StagedFile();

  // The disk begins its work while more is written, so that sync() has little left to wait for.
  Result<void> write(std::string_view bytes);
  // To be called after the last write; the bytes then survive a loss of power.
  Result<void> sync() { return sync_file(m_file, m_path); }

  // Renames to `path`, replacing what is there, and says what the file is from then on. Durable once the
  // directory is synced.
  Result<struct stat> publish(const std::string& path);

private:
  StagedFile(FileHandle file, std::string path) : m_file(std::move(file)), m_path(std::move(path)) {}

  FileHandle m_file;
  std::string m_path;            // empty once published or moved from
  std::uint64_t m_written = 0;   // bytes
  std::uint64_t m_flushing = 0;  // of these, which the disk has been told to write
};

}  // namespace repoupdate
