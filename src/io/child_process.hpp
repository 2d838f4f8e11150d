// SPDX-License-Identifier: Apache-2.0
// Runs another program for what it writes to its standard output, with bytes to read when it wants some.
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

struct ChildStreams {
  std::string_view input{};  // what it reads
  std::string* complaints =
      nullptr;  // takes the last k_max_complaints bytes of its standard error; null: they go nowhere
};
inline constexpr std::size_t k_max_complaints = 2048;

// What the program wrote. `command` holds its name, looked for in PATH, and its arguments; no shell sees them. It gets
// this process's environment. It and what it has started in its
// process group are killed when a limit is reached or it is stopped.
// ErrorKind::not_found or denied when it cannot be started, timed_out, cancelled, invalid for too much output, io for
// an exit code that is not 0. No message holds what it wrote, nor its arguments.
Result<std::string> run_child(const std::vector<std::string>& command, const ChildLimits& limits,
                              const ChildStreams& streams = {});

// Complaints as they may stand in a message: one line of printable text, with "(hidden)" for the values of environment
// variables whose names say that they hold a secret.
std::string without_secrets(std::string_view complaints);

// Words as a POSIX shell splits them, with '...', "..." and \, but without any expansion. Nothing when a quote is not
// closed.
std::optional<std::vector<std::string>> split_command(std::string_view line);

}  // namespace repoupdate
