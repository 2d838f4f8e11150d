// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "io/posix_file.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// An open file. It stays readable when its name is removed or given to another file; when somebody writes into it,
// which its size and modification time tell, reads fail with precondition_failed.
class FileBytes final : public StoredBytes {
public:
  // Errors as errno_error() says; invalid for what is no regular file.
  static Result<std::shared_ptr<const FileBytes>> open(const std::filesystem::path& path);

  // `status` is that of `file`; `what` stands in errors.
  FileBytes(FileHandle file, const struct stat& status, std::string what);

  std::uint64_t size() const override { return m_size; }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override;

  // precondition_failed when somebody has written to it since it was opened.
  Result<void> check_unchanged() const;
  FileIdentity identity() const { return m_identity; }

private:
  Error changed() const;

  const FileHandle m_file;
  const FileIdentity m_identity;
  const std::uint64_t m_size;
  const std::int64_t m_modified;  // nanoseconds
  const std::string m_what;
};

}  // namespace repoupdate
