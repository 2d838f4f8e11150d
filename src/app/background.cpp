// SPDX-License-Identifier: Apache-2.0
#include "app/background.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace repoupdate {
namespace {

// The pipe brings a byte when the daemon is ready, and its end when the daemon has ended. A signal ends the wait and
// this process, as it does anywhere: ready() sees to the daemon then.
Result<std::optional<ExitCode>> wait_for(pid_t daemon, const FileHandle& pipe) {
  char byte = 0;
  if (::read(pipe.get(), &byte, 1) == 1) return std::optional(ExitCode::done);
  int status = 0;
  if (::waitpid(daemon, &status, 0) != daemon) return errno_error(errno, "how the daemon ended");
  if (WIFEXITED(status)) return std::optional(static_cast<ExitCode>(WEXITSTATUS(status)));
  return Error{
      ErrorKind::io, "the daemon was ended by signal " + std::to_string(WTERMSIG(status)) + " before it was ready", {}};
}

}  // namespace

Result<std::optional<ExitCode>> Background::enter() {
  // Whoever starts us may have closed the standard streams. What is opened next would get their numbers, and ready()
  // would put /dev/null in its place.
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // gets the lowest free number, which is this one
  auto nowhere = open_file("/dev/null", O_RDWR, "/dev/null");
  if (!nowhere) return std::move(nowhere).error();
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, "cannot run in the background");
  const FileHandle reader(ends[0]);
  FileHandle writer(ends[1]);
  const pid_t daemon = ::fork();
  if (daemon < 0) return errno_error(errno, "cannot run in the background");
  if (daemon > 0) {
    writer = {};  // else the end would never be seen
    return wait_for(daemon, reader);
  }
  ::setsid();
  m_waiting = std::move(writer);
  m_nowhere = *std::move(nowhere);
  return std::optional<ExitCode>();
}

void Background::ready() {
  if (m_waiting.get() < 0) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(m_nowhere.get(), stream);
  const bool is_awaited = ::write(m_waiting.get(), "", 1) == 1;
  m_waiting = {};
  m_nowhere = {};
  // Whoever started the daemon has interrupted the command, and believes that nothing runs.
  if (!is_awaited) ::kill(::getpid(), SIGTERM);
}

}  // namespace repoupdate
