// SPDX-License-Identifier: Apache-2.0
#include "io/posix_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace repoupdate {
namespace {

ErrorKind kind_of(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
    case EROFS: return ErrorKind::denied;
    case ENOENT:
    case ENOTDIR: return ErrorKind::not_found;
    case ENOSPC:
    case EDQUOT: return ErrorKind::no_space;
    case EISDIR:
    case ENAMETOOLONG: return ErrorKind::invalid;
    default: return ErrorKind::io;
  }
}

}  // namespace

Error errno_error(int code, std::string_view what) {
  return {kind_of(code), std::string(what) + ": " + std::generic_category().message(code), {}};
}

FileHandle::FileHandle(FileHandle&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}

FileHandle& FileHandle::operator=(FileHandle&& other) noexcept {
  std::swap(m_descriptor, other.m_descriptor);
  return *this;
}

FileHandle::~FileHandle() {
  if (m_descriptor >= 0) ::close(m_descriptor);
}

Result<FileHandle> open_file(const std::string& path, int flags, std::string_view what, mode_t mode) {
  int descriptor = -1;
  do descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return errno_error(errno, what);
  return FileHandle(descriptor);
}

Result<FileHandle> open_nameless(const std::string& directory, std::string_view what) {
  int descriptor = -1;
  do descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  while (descriptor < 0 && errno == EINTR);
  if (descriptor >= 0) return FileHandle(descriptor);
  // The file system, or the kernel, does not know the flag.
  if (errno == EOPNOTSUPP || errno == EISDIR) return open_unlinked(directory, what);
  return errno_error(errno, what);
}

Result<FileHandle> open_unlinked(const std::string& directory, std::string_view what) {
  std::string path = directory + "/repoupdate-XXXXXX";
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0) return errno_error(errno, what);
  FileHandle file(descriptor);
  if (::unlink(path.c_str()) != 0) return errno_error(errno, what);
  return file;
}

Result<std::size_t> read_at(const FileHandle& file, std::uint64_t offset, std::span<char> into, std::string_view what) {
  std::size_t filled = 0;
  while (filled < into.size()) {
    const ssize_t got =
        ::pread(file.get(), into.data() + filled, into.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error(errno, what);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<void> write_all(const FileHandle& file, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error(errno, what);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_all_at(const FileHandle& file, std::uint64_t offset, std::string_view bytes, std::string_view what) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error(errno, what);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Result<void> sync_file(const FileHandle& file, std::string_view what) {
  if (::fsync(file.get()) != 0) return errno_error(errno, what);
  return {};
}

Result<void> sync_directory(const std::string& directory) {
  auto handle = open_file(directory, O_RDONLY | O_DIRECTORY, directory);
  if (!handle) return std::move(handle).error();
  // Some file systems cannot sync a directory and say so with EINVAL; they order renames themselves.
  if (::fsync(handle->get()) != 0 && errno != EINVAL) return errno_error(errno, directory);
  return {};
}

std::int64_t modified_nanoseconds(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

}  // namespace repoupdate
