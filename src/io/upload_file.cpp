// SPDX-License-Identifier: Apache-2.0
#include "io/upload_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_read_size = 256 << 10;

Error failure(const std::string& path, int cause) {
  const ErrorKind kind = cause == ENOENT || cause == ENOTDIR ? ErrorKind::not_found
                         : cause == EACCES || cause == EPERM ? ErrorKind::denied
                                                             : ErrorKind::io;
  return {kind, path + ": " + std::generic_category().message(cause), {}};
}

}  // namespace

Result<UploadFile> UploadFile::open(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // not hanging on a FIFO
  if (descriptor < 0) return failure(path.string(), errno);
  UploadFile file(descriptor, path.string(), 0);
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return failure(path.string(), errno);
  if (!S_ISREG(status.st_mode)) return Error{ErrorKind::invalid, path.string() + ": not a regular file", {}};
  file.m_size = static_cast<std::uint64_t>(status.st_size);
  return file;
}

UploadFile::UploadFile(int descriptor, std::string path, std::uint64_t size)
    : m_descriptor(descriptor), m_path(std::move(path)), m_size(size) {}

UploadFile::UploadFile(UploadFile&& other) noexcept
    : m_descriptor(std::exchange(other.m_descriptor, -1)), m_path(std::move(other.m_path)), m_size(other.m_size) {}

UploadFile::~UploadFile() {
  if (m_descriptor >= 0) ::close(m_descriptor);
}

Result<std::string_view> UploadFile::read(std::uint64_t offset, std::string& buffer) const {
  buffer.resize(static_cast<std::size_t>(std::min<std::uint64_t>(k_read_size, m_size - offset)));
  ssize_t count = -1;
  do {
    count = ::pread(m_descriptor, buffer.data(), buffer.size(), static_cast<off_t>(offset));
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failure(m_path, errno);
  if (count == 0) return Error{ErrorKind::corrupt, m_path + ": became shorter while it was read", {}};
  return std::string_view(buffer).substr(0, static_cast<std::size_t>(count));
}

Result<FileDigests> UploadFile::digest(std::uint64_t part_size) const {
  FileDigests digests;
  Hasher whole(HashType::sha256);
  std::string buffer;
  for (std::uint64_t part = 0; part < m_size; part += part_size) {
    Hasher hasher(HashType::sha256);
    const std::uint64_t end = std::min(m_size, part + part_size);
    for (std::uint64_t offset = part; offset < end;) {
      auto bytes = read(offset, buffer);
      if (!bytes) return bytes.error();
      const std::string_view own = bytes->substr(0, static_cast<std::size_t>(end - offset));
      whole.update(own);
      hasher.update(own);
      offset += own.size();
    }
    digests.parts.push_back(hasher.finish_hex());
  }
  digests.whole = whole.finish_hex();
  return digests;
}

}  // namespace repoupdate
