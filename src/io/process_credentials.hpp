// SPDX-License-Identifier: Apache-2.0
// Credentials from a program of the user's own, as a profile's credential_process names it.
// Source: "Process credential provider", AWS SDKs and Tools Reference Guide.
#pragma once

#include <stop_token>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

inline constexpr Duration k_credential_process_time{std::chrono::seconds(60)};

// Runs `command`, split as a shell does, without a shell. It has to print a JSON object with "Version": 1.
// ErrorKind::denied when it fails, corrupt when it prints anything else, timed_out after `time`, cancelled. No message
// holds what it printed, nor its arguments.
Result<Credentials> process_credentials(const std::string& command, SystemTime now, std::stop_token stop = {},
                                        Duration time = k_credential_process_time);

}  // namespace repoupdate
