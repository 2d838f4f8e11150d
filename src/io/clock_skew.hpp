// SPDX-License-Identifier: Apache-2.0
// How wrong our clock is, by what a service that refused a request says the time is.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.hpp"
#include "io/http.hpp"

namespace repoupdate {

// Services refuse a signature that is 15 minutes off; a Date that is this far from the time of signing explains a
// refusal that has no body to say so.
inline constexpr std::chrono::seconds k_notable_skew = std::chrono::minutes(5);

// From our clock, which says `now`, to the service's, where that is k_notable_skew or more from `offset`, with which
// the refused request was signed. Nothing where the Date does not explain the refusal, or is missing.
std::optional<std::chrono::seconds> corrected_offset(const HttpResponse& refusal, SystemTime now,
                                                     std::chrono::seconds offset);

}  // namespace repoupdate
