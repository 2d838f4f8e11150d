// SPDX-License-Identifier: Apache-2.0
// How fast requests may leave for one service: as fast as they come, until it refuses one as one too many; from then
// on at half of what it got, a little faster each second, for everybody who sends. Pure: times are passed in.
// The shape is that of TCP's congestion avoidance (RFC 5681): cut by a factor once a burst, recover by addition.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"

namespace repoupdate {

struct SendRateLimits {
  double least = 4;    // requests a second, however often the service refuses
  double growth = 10;  // requests a second that are added in each second without a refusal
  double open = 1000;  // at this rate there is no limit any more
  Duration longest_pause{std::chrono::seconds(20)};  // that a service may ask for
};

// Not thread-safe: the owner locks. Times must not run backwards.
class SendRate {
public:
  explicit SendRate(SendRateLimits limits = {}) : m_limits(limits) {}

  // A place in the line: `at` is not before the time it was reserved.
  struct Place {
    SteadyTime at;
    std::uint64_t line = 0;
  };
  Place reserve(SteadyTime now);

  // To be called when the place's time has come. False: the line was dissolved meanwhile, because the service refused
  // a request; reserve anew. True: the request leaves now.
  bool leave(const Place& place, SteadyTime now);

  // The service refused, as one too many, a request that left at `left`. Refusals of requests that left before the
  // last cut are of the same burst: they only prolong the pause. `pause`: what the service asked for.
  void refused(SteadyTime left, SteadyTime now, std::optional<Duration> pause);

  // Requests a second at this time; nothing where there is no limit.
  std::optional<double> rate(SteadyTime now) const;

private:
  double seen() const { return static_cast<double>(m_this_second > m_last_second ? m_this_second : m_last_second); }

  SendRateLimits m_limits;
  std::optional<double> m_rate;  // right after the last cut
  SteadyTime m_cut{};
  SteadyTime m_next{};       // the first free place
  SteadyTime m_pause_end{};  // nobody leaves before
  std::uint64_t m_line = 0;
  SteadyTime m_second{};  // when the count of this second began
  std::uint64_t m_this_second = 0;
  std::uint64_t m_last_second = 0;
};

}  // namespace repoupdate
