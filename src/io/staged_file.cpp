// SPDX-License-Identifier: Apache-2.0
#include "io/staged_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <utility>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

constexpr std::uint64_t k_flush_step = std::uint64_t{4} << 20;

std::string random_name() {
  std::random_device source;
  std::string name(k_staged_prefix);
  for (int i = 0; i < 2; ++i) {
    const auto number = source();
    name += to_hex({reinterpret_cast<const char*>(&number), sizeof number});
  }
  return name;
}

}  // namespace

Result<StagedFile> StagedFile::create(const std::string& directory) {
  std::string path = directory + '/' + random_name();
  auto file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, "a new file in " + directory, 0644);
  if (!file) return std::move(file).error();
  return StagedFile(*std::move(file), std::move(path));
}

StagedFile::StagedFile(StagedFile&& other) noexcept
    : m_file(std::move(other.m_file)),
      m_path(std::exchange(other.m_path, {})),
      m_written(other.m_written),
      m_flushing(other.m_flushing) {}

StagedFile::~StagedFile() {
  if (!m_path.empty()) ::unlink(m_path.c_str());
}

Result<void> StagedFile::write(std::string_view bytes) {
  if (auto written = write_all(m_file, bytes, m_path); !written) return written;
  m_written += bytes.size();
  if (m_written - m_flushing < k_flush_step) return {};
  // A hint that may fail: sync() is what counts.
  static_cast<void>(::sync_file_range(m_file.get(), static_cast<off_t>(m_flushing),
                                      static_cast<off_t>(m_written - m_flushing), SYNC_FILE_RANGE_WRITE));
  m_flushing = m_written;
  return {};
}

Result<struct stat> StagedFile::publish(const std::string& path) {
  if (::rename(m_path.c_str(), path.c_str()) != 0) return errno_error(errno, path);
  m_path.clear();
  struct stat status {};
  if (::fstat(m_file.get(), &status) != 0) return errno_error(errno, path);
  return status;
}

}  // namespace repoupdate
