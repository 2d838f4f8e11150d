// SPDX-License-Identifier: Apache-2.0
#include "io/file_bytes.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

namespace repoupdate {

Result<std::shared_ptr<const FileBytes>> FileBytes::open(const std::filesystem::path& path) {
  auto file = open_file(path.string(), O_RDONLY | O_NONBLOCK | O_NOCTTY, path.string());  // not hanging on a FIFO
  if (!file) return std::move(file).error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return errno_error(errno, path.string());
  if (!S_ISREG(status.st_mode)) return Error{ErrorKind::invalid, path.string() + ": not a regular file", {}};
  return std::make_shared<const FileBytes>(*std::move(file), status, path.string());
}

FileBytes::FileBytes(FileHandle file, const struct stat& status, std::string what)
    : m_file(std::move(file)),
      m_identity(identity_of(status)),
      m_size(static_cast<std::uint64_t>(status.st_size)),
      m_modified(modified_nanoseconds(status)),
      m_what(std::move(what)) {}

Result<void> FileBytes::read(std::uint64_t offset, std::span<char> into) const {
  if (auto within = check_reach(offset, into.size(), m_size); !within) return std::move(within).error().within(m_what);
  const auto filled = read_at(m_file, offset, into, m_what);
  if (!filled) return filled.error();
  if (*filled < into.size()) return changed();
  return check_unchanged();
}

Result<void> FileBytes::check_unchanged() const {
  struct stat status {};
  if (::fstat(m_file.get(), &status) != 0) return errno_error(errno, m_what);
  const bool same = static_cast<std::uint64_t>(status.st_size) == m_size && modified_nanoseconds(status) == m_modified;
  return same ? Result<void>{} : changed();
}

Error FileBytes::changed() const {
  return {ErrorKind::precondition_failed, m_what + ": somebody wrote to it meanwhile", {}};
}

}  // namespace repoupdate
