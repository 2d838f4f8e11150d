// SPDX-License-Identifier: Apache-2.0
#include "io/clock_skew.hpp"

#include "io/timestamp.hpp"

namespace repoupdate {

std::optional<std::chrono::seconds> corrected_offset(const HttpResponse& refusal, SystemTime now,
                                                     std::chrono::seconds offset) {
  const auto theirs = parse_http_date(refusal.header("date"));
  if (!theirs) return std::nullopt;
  const std::chrono::seconds corrected = *theirs - now;
  if (std::chrono::abs(corrected - offset) < k_notable_skew) return std::nullopt;
  return corrected;
}

}  // namespace repoupdate
