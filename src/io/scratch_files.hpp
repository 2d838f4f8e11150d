// SPDX-License-Identifier: Apache-2.0
// Scratch on a local disk: files without a name, which the kernel removes with their last user, however that ends.
// Source: O_TMPFILE in open(2).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "io/posix_file.hpp"
#include "model/scratch.hpp"

namespace repoupdate {

// TMPDIR's value or, where that is empty, /var/tmp: /tmp often lies in memory.
std::string scratch_directory(const std::string& tmpdir);

class ScratchFiles final : public Scratch {
public:
  explicit ScratchFiles(std::string directory) : m_directory(std::move(directory)) {}

  // Readable and writable by this user alone. Errors as errno_error() says, naming the directory.
  Result<std::shared_ptr<ScratchFile>> create() override;

private:
  std::string m_directory;
};

class DiskScratchFile final : public ScratchFile {
public:
  // `file` is empty and open for reading and writing. `directory` is where it lies, for errors.
  DiskScratchFile(FileHandle file, const std::string& directory);

  Result<void> append(std::string_view bytes) override;
  std::uint64_t size() const override { return m_size; }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override;

private:
  const FileHandle m_file;
  const std::string m_what;
  std::uint64_t m_size = 0;
};

}  // namespace repoupdate
