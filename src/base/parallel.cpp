// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace repoupdate {

void for_each_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto drain = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;
  const std::size_t wanted = std::min(count, std::max<std::size_t>(threads, 1));
  for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(drain);
  drain();
}

}  // namespace repoupdate
