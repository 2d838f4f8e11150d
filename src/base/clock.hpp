// SPDX-License-Identifier: Apache-2.0
// Time as a door: whoever waits or stamps takes a Clock, so tests need not wait.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>

namespace repoupdate {

using Duration = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;
using SystemTime = std::chrono::sys_seconds;  // UTC, whole seconds, as HTTP dates and repomd.xml use them

using ExactTime = std::chrono::sys_time<std::chrono::milliseconds>;  // UTC, where a second is too coarse

class Clock {
public:
  virtual ~Clock() = default;
  virtual SystemTime now() const = 0;
  virtual ExactTime now_exactly() const { return now(); }
  virtual SteadyTime steady() const = 0;
  // Returns early, and false, when a stop is requested.
  virtual bool sleep_for(Duration duration, std::stop_token stop) = 0;
};

class SystemClock final : public Clock {
public:
  SystemTime now() const override;
  ExactTime now_exactly() const override;
  SteadyTime steady() const override;
  bool sleep_for(Duration duration, std::stop_token stop) override;
};

std::string to_iso8601(SystemTime time);  // 2026-01-31T23:59:59Z

}  // namespace repoupdate
