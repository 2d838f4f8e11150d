// SPDX-License-Identifier: Apache-2.0
// Files of the local system behind Result: errno becomes an ErrorKind, a descriptor closes itself.
#pragma once

#include <sys/stat.h>

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

// EACCES, EPERM, EROFS: denied. ENOENT, ENOTDIR: not_found. ENOSPC, EDQUOT: no_space. EISDIR, ENAMETOOLONG:
// invalid. All else: io.
// The message is "WHAT: the system's words".
Error errno_error(int code, std::string_view what);

// Owns one file descriptor.
class FileHandle {
public:
  FileHandle() = default;
  explicit FileHandle(int descriptor) : m_descriptor(descriptor) {}
  FileHandle(FileHandle&& other) noexcept;
  FileHandle& operator=(FileHandle&& other) noexcept;
  ~FileHandle();

  int get() const { return m_descriptor; }

private:
  int m_descriptor = -1;
};

// open(2) with O_CLOEXEC, repeated when a signal interrupts it. `what` stands in the error.
Result<FileHandle> open_file(const std::string& path, int flags, std::string_view what, mode_t mode = 0);

// A new, empty file in `directory` for this user alone, open for reading and writing, without a name: it goes with its
// last descriptor.
Result<FileHandle> open_nameless(const std::string& directory, std::string_view what);
// The same on file systems without O_TMPFILE, where it has a name for a moment.
Result<FileHandle> open_unlinked(const std::string& directory, std::string_view what);

// As many bytes as there are from `offset` on, at most all that `into` takes; says how many.
Result<std::size_t> read_at(const FileHandle& file, std::uint64_t offset, std::span<char> into, std::string_view what);

Result<void> write_all(const FileHandle& file, std::string_view bytes, std::string_view what);
Result<void> write_all_at(const FileHandle& file, std::uint64_t offset, std::string_view bytes, std::string_view what);
Result<void> sync_file(const FileHandle& file, std::string_view what);
Result<void> sync_directory(const std::string& directory);

// What makes a directory the same one under every name.
struct FileIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  auto operator<=>(const FileIdentity&) const = default;
};
inline FileIdentity identity_of(const struct stat& status) {
  return {status.st_dev, status.st_ino};
}

// Modification time in nanoseconds since the epoch.
std::int64_t modified_nanoseconds(const struct stat& status);

}  // namespace repoupdate
