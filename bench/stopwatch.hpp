// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <time.h>

#include <chrono>

namespace repoupdate::bench {

// Wall and CPU time, the latter of all threads of this process, since it was made. In seconds.
class Stopwatch {
public:
  double wall() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - m_begin).count(); }
  double cpu() const { return cpu_now() - m_cpu; }

private:
  static double cpu_now() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }

  std::chrono::steady_clock::time_point m_begin = std::chrono::steady_clock::now();
  double m_cpu = cpu_now();
};

}  // namespace repoupdate::bench
