// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace repoupdate {

// One line on standard error that is drawn over itself, at most ten times a second; erased at the end.
// Thread-safe. For terminals only: the caller asks isatty(2).
class ProgressBar {
public:
  ProgressBar(std::size_t files, std::uint64_t bytes);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void advance(std::uint64_t bytes);
  void file_done();

private:
  void draw(bool now);

  std::mutex m_mutex;
  std::size_t m_files, m_files_done = 0;
  std::uint64_t m_bytes, m_bytes_done = 0;
  std::chrono::steady_clock::time_point m_start, m_drawn;
};

}  // namespace repoupdate
