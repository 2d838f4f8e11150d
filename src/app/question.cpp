// SPDX-License-Identifier: Apache-2.0
#include "app/question.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iostream>

#include "io/posix_file.hpp"

namespace repoupdate {

// Ctrl-C does not wake a read(): another thread takes the signal (Signals), and requests the stop.
Result<bool> is_agreed(const std::string& question, std::stop_token stop) {
  const FileHandle wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (wake.get() < 0) return errno_error(errno, "eventfd");
  const std::stop_callback wake_up(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  std::cerr << question << " [y/N] ";
  std::string answer;
  while (true) {
    std::array<pollfd, 2> events{{{STDIN_FILENO, POLLIN, 0}, {wake.get(), POLLIN, 0}}};
    if (::poll(events.data(), events.size(), -1) < 0 && errno != EINTR) return errno_error(errno, "standard input");
    if (stop.stop_requested()) {
      std::cerr << '\n';  // what comes next does not belong behind the question
      return Error{ErrorKind::cancelled, "interrupted", {}};
    }
    if (events[0].revents == 0) continue;
    char next = 0;
    if (::read(STDIN_FILENO, &next, 1) != 1) return false;  // it ended before the line did
    if (next == '\n') return answer == "y" || answer == "Y" || answer == "yes";
    answer += next;
  }
}

}  // namespace repoupdate
