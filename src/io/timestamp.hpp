// SPDX-License-Identifier: Apache-2.0
// The three ways in which HTTP and AWS write a time. All are UTC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace repoupdate {

std::string to_basic_iso8601(SystemTime time);  // 20260131T235959Z, as x-amz-date

// "2026-01-31T23:59:59Z", with or without a fraction of a second (dropped) and the Z (some services omit it).
std::optional<SystemTime> parse_iso8601(std::string_view text);
// The same to the millisecond; further digits are dropped.
std::optional<ExactTime> parse_exact_iso8601(std::string_view text);

// IMF-fixdate of RFC 9110 section 5.6.7: "Sat, 31 Jan 2026 23:59:59 GMT".
std::optional<SystemTime> parse_http_date(std::string_view text);

}  // namespace repoupdate
