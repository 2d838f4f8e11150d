// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace repoupdate {

std::vector<std::jthread> start_helpers(std::size_t count, const std::function<void()>& work) {
  std::vector<std::jthread> helpers;
  try {
    while (helpers.size() < count) helpers.emplace_back(work);
  } catch (const std::system_error&) {  // the system gives no more threads
  }
  return helpers;
}

void for_each_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  const auto drain = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  const std::size_t wanted = std::min(count, std::max<std::size_t>(threads, 1));
  const auto helpers = start_helpers(wanted == 0 ? 0 : wanted - 1, drain);
  drain();
}

Result<void> try_each_parallel(std::size_t count, std::size_t threads,
                               const std::function<Result<void>(std::size_t)>& work) {
  std::vector<Result<void>> outcomes(count);
  for_each_parallel(count, threads, [&](std::size_t i) { outcomes[i] = work(i); });
  for (auto& outcome : outcomes)
    if (!outcome) return std::move(outcome);
  return {};
}

}  // namespace repoupdate
