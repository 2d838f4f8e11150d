// SPDX-License-Identifier: Apache-2.0
// Runs another program for what it writes to its standard output.
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace repoupdate {

struct ChildLimits {
  Duration time;       // until it has ended
  std::size_t output;  // bytes
  std::stop_token stop{};
};

// What the program wrote. `command` holds its name, looked for in PATH, and its arguments; no shell sees them. It gets
// this process's environment, nothing to read, and its standard error goes nowhere. It and what it has started in its
// process group are killed when a limit is reached or it is stopped.
// ErrorKind::not_found or denied when it cannot be started, timed_out, cancelled, invalid for too much output, io for
// an exit code that is not 0. No message holds what it wrote, nor its arguments.
Result<std::string> run_child(const std::vector<std::string>& command, const ChildLimits& limits);

// Words as a POSIX shell splits them, with '...', "..." and \, but without any expansion. Nothing when a quote is not
// closed.
std::optional<std::vector<std::string>> split_command(std::string_view line);

}  // namespace repoupdate
