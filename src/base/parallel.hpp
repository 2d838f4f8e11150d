// SPDX-License-Identifier: Apache-2.0
// A bounded number of threads working through a numbered list.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

// Threads that call `work`, which must not throw; fewer where the system gives no more. Whoever calls this does the work
// as well.
std::vector<std::jthread> start_helpers(std::size_t count, const std::function<void()>& work);

// Calls work(0) ... work(count-1), each once, on at most `threads` threads (the caller's is one of them),
// and returns when all have returned; where there are no more threads to have, fewer. `work` must not throw. With one item or one thread it runs in place.
void for_each_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

// The same for work that may fail: all of it is done, and the failure of the lowest number is returned.
Result<void> try_each_parallel(std::size_t count, std::size_t threads,
                               const std::function<Result<void>(std::size_t)>& work);

}  // namespace repoupdate
