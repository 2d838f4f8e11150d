// SPDX-License-Identifier: Apache-2.0
#include "io/scratch_files.hpp"

namespace repoupdate {
namespace {

std::string temporary_file_in(const std::string& directory) {
  return "a temporary file in " + directory;
}

}  // namespace

std::string scratch_directory(const std::string& tmpdir) {
  return tmpdir.empty() ? "/var/tmp" : tmpdir;
}

Result<std::shared_ptr<ScratchFile>> ScratchFiles::create() {
  auto file = open_nameless(m_directory, temporary_file_in(m_directory));
  if (!file) return std::move(file).error();
  return std::shared_ptr<ScratchFile>(std::make_shared<DiskScratchFile>(*std::move(file), m_directory));
}

DiskScratchFile::DiskScratchFile(FileHandle file, const std::string& directory)
    : m_file(std::move(file)), m_what(temporary_file_in(directory)) {}

// At the end as it is known here, so that what a full disk cut short is written over by the next try.
Result<void> DiskScratchFile::append(std::string_view bytes) {
  auto written = write_all_at(m_file, m_size, bytes, m_what);
  if (written.failed_with(ErrorKind::no_space)) written.error().message += "; make room there, or choose another one";
  if (written) m_size += bytes.size();
  return written;
}

Result<void> DiskScratchFile::read(std::uint64_t offset, std::span<char> into) const {
  if (auto within = check_reach(offset, into.size(), m_size); !within) return std::move(within).error().within(m_what);
  const auto filled = read_at(m_file, offset, into, m_what);
  if (!filled) return filled.error();
  if (*filled < into.size()) return Error{ErrorKind::io, m_what + ": became shorter", {}};
  return {};
}

}  // namespace repoupdate
