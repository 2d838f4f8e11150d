// SPDX-License-Identifier: Apache-2.0
// A question to whoever sits at the terminal.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.hpp"

namespace repoupdate {

// Asks on standard error, and reads a line of standard input: true for y or yes. cancelled: a stop was requested
// instead.
Result<bool> is_agreed(const std::string& question, std::stop_token stop);

}  // namespace repoupdate
