// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <functional>
#include <mutex>

#include "base/clock.hpp"

namespace repoupdate {

// Time that moves only when a test, or somebody's sleep, moves it.
class FakeClock final : public Clock {
public:
  // Called before each sleep, without a lock held: a place to stop the sleeper, who then does not sleep at all.
  std::function<void()> before_sleep;

  SystemTime now() const override {
    const std::scoped_lock lock(m_mutex);
    return std::chrono::floor<std::chrono::seconds>(k_start + m_passed);
  }
  ExactTime now_exactly() const override {
    const std::scoped_lock lock(m_mutex);
    return k_start + m_passed;
  }
  SteadyTime steady() const override {
    const std::scoped_lock lock(m_mutex);
    return SteadyTime(m_passed);
  }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    if (before_sleep) before_sleep();
    if (stop.stop_requested()) return false;
    const std::scoped_lock lock(m_mutex);
    m_passed += duration;
    m_longest_sleep = std::max(m_longest_sleep, duration);
    return true;
  }
  void advance(Duration duration) {
    const std::scoped_lock lock(m_mutex);
    m_passed += duration;
  }
  Duration longest_sleep() const {
    const std::scoped_lock lock(m_mutex);
    return m_longest_sleep;
  }

private:
  static constexpr std::chrono::sys_seconds k_start{std::chrono::seconds(1'800'000'000)};
  mutable std::mutex m_mutex;
  Duration m_passed{0}, m_longest_sleep{0};
};

}  // namespace repoupdate
