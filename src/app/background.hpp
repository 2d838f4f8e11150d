// SPDX-License-Identifier: Apache-2.0
// A daemon without a terminal, as old init scripts start it: the command is back when the daemon is ready, or has said
// why it is not.
#pragma once

#include <optional>

#include "app/exit_code.hpp"
#include "base/result.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {

class Background {
public:
  // Makes a second process; there may be no threads yet. In that one, which goes on as the daemon, gives nothing. In
  // the one that was started, waits until the daemon is ready or has ended, and gives the exit code to end with.
  Result<std::optional<ExitCode>> enter();

  // The daemon is ready: lets go of the terminal, and whoever waits is told. Does nothing when called again, or when
  // the daemon stays in the foreground.
  void ready();

private:
  FileHandle m_waiting;  // a pipe to the process that waits
  FileHandle m_nowhere;  // /dev/null
};

}  // namespace repoupdate
