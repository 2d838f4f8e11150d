// SPDX-License-Identifier: Apache-2.0
#include "app/progress_bar.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace repoupdate {

ProgressBar::ProgressBar(std::size_t files, std::uint64_t bytes)
    : m_files(files), m_bytes(std::max<std::uint64_t>(bytes, 1)), m_start(std::chrono::steady_clock::now()) {
  draw(true);
}

ProgressBar::~ProgressBar() {
  std::fputs("\r\033[K", stderr);
}

void ProgressBar::advance(std::uint64_t bytes) {
  const std::scoped_lock lock(m_mutex);
  m_bytes_done = std::min(m_bytes, m_bytes_done + bytes);
  draw(false);
}

void ProgressBar::file_done() {
  const std::scoped_lock lock(m_mutex);
  ++m_files_done;
  draw(m_files_done == m_files);
}

void ProgressBar::draw(bool now) {
  const auto time = std::chrono::steady_clock::now();
  if (!now && time - m_drawn < std::chrono::milliseconds(100)) return;
  m_drawn = time;
  constexpr std::size_t k_width = 30;
  const double share = static_cast<double>(m_bytes_done) / static_cast<double>(m_bytes);
  const auto filled = static_cast<std::size_t>(share * k_width);
  const double seconds = std::max(std::chrono::duration<double>(time - m_start).count(), 0.001);
  const double mib = static_cast<double>(m_bytes_done) / (1 << 20);
  const std::string bar = std::string(filled, '#') + std::string(k_width - filled, '.');
  std::fprintf(stderr, "\r\033[K[%s] %3.0f %%  %zu of %zu packages  %.1f MiB  %.1f MiB/s", bar.c_str(), share * 100,
               m_files_done, m_files, mib, mib / seconds);
  std::fflush(stderr);
}

}  // namespace repoupdate
