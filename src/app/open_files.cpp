// SPDX-License-Identifier: Apache-2.0
#include "app/open_files.hpp"

#include <sys/resource.h>

#include <algorithm>

namespace repoupdate {
namespace {

// More is of no use, and children that close all that they may have open would be busy with it for long.
constexpr rlim_t k_wanted = 65536;
constexpr std::uint64_t k_other_files = 512;
constexpr std::uint64_t k_files_each = 3;
constexpr std::uint64_t k_least = 16;  // repositories

}  // namespace

std::uint64_t raise_open_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit raised{std::max(limit.rlim_cur, std::min(limit.rlim_max, k_wanted)), limit.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::size_t repositories_to_remember(std::uint64_t open_files) {
  return std::max(k_least, (std::max(open_files, k_other_files) - k_other_files) / k_files_each);
}

}  // namespace repoupdate
