// SPDX-License-Identifier: Apache-2.0
// Runs a program and says what it took. Source: wait4(2), getrusage(2).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace repoupdate::bench {

struct ChildOutcome {
  int exit_code = 0;              // 128 + the number of the signal that ended it
  double wall = 0;                // seconds, with starting and loading the program
  double cpu = 0;                 // seconds, of all its threads
  std::uint64_t peak_memory = 0;  // bytes that were resident; not less than the parent's
  std::string output;             // standard output
};

// The first word is the program, looked for in PATH. Standard error is ours. An Error when it cannot be started.
Result<ChildOutcome> run_child(const std::vector<std::string>& command);

}  // namespace repoupdate::bench
