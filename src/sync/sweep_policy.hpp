// SPDX-License-Identifier: Apache-2.0
// The times by which a sweep and a publication keep out of each other's way. docs/decisions/0023-sweep.md has the
// reasoning; all of them are by the store's clock but for those that say "within".
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.hpp"

namespace repoupdate {

// How long superseded metadata stay: both must be fulfilled before a file goes.
struct SweepPolicy {
  Duration grace{std::chrono::hours(24)};  // since they were superseded; at least k_settled_after
  std::size_t generations = 3;             // superseded ones that stay however old they are
  std::size_t most = 200'000;              // files that one sweep looks at of those that may go, the oldest ones
};

// A publication that finds its file there already uses it as it is when it was put this lately; else puts it again.
inline constexpr Duration k_reuse_within{std::chrono::minutes(10)};
// From the first look at its files to the pointer. What takes longer looks again.
inline constexpr Duration k_publish_within{std::chrono::minutes(30)};
// So from this age on, nobody names a file without having put it again.
inline constexpr Duration k_settled_after{std::chrono::hours(1)};
static_assert(k_reuse_within + k_publish_within < k_settled_after);

// From the moment at which a sweep said what it would do to its last deletion.
inline constexpr Duration k_sweep_within{std::chrono::minutes(5)};
// Its last request of all takes back what it said.
inline constexpr Duration k_release_within{std::chrono::minutes(10)};
// A store takes no request later than that after the time that it bears, wherever it was held up.
inline constexpr Duration k_signature_holds{std::chrono::minutes(15)};
// What a sweep said holds for this long: its last request is over by then, or its signature is too old.
inline constexpr Duration k_sweep_believed{std::chrono::minutes(30)};
static_assert(k_sweep_within < k_release_within);
static_assert(k_release_within + k_signature_holds < k_sweep_believed);

// By the monotonic clock and by the wall clock, whichever says more: the first stands still while a machine sleeps.
class Elapsed {
public:
  explicit Elapsed(const Clock& clock) : m_clock(&clock), m_steady(clock.steady()), m_wall(clock.now()) {}
  Duration passed() const {
    return std::max(std::chrono::duration_cast<Duration>(m_clock->steady() - m_steady),
                    Duration(m_clock->now() - m_wall));
  }
  // When so much will have passed, for requests that have to be gone by then.
  SteadyTime after(Duration duration) const { return m_steady + duration; }

private:
  const Clock* m_clock;
  SteadyTime m_steady;
  SystemTime m_wall;
};

}  // namespace repoupdate
