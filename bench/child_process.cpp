// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace repoupdate::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

Error failed(const std::string& what, int number) {
  return {ErrorKind::io, what + ": " + std::strerror(number), {}};
}

Result<pid_t> start(const std::vector<std::string>& command, int output) {
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));  // exec does not write there
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure != 0) return failed("starting " + command[0], failure);
  return child;
}

std::string read_to_end(int file) {
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t size = ::read(file, piece.data(), piece.size());
    if (size > 0) text.append(piece.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EINTR)) return text;
  }
}

}  // namespace

Result<ChildOutcome> run_child(const std::vector<std::string>& command) {
  std::array<int, 2> pipe;
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return failed("pipe", errno);
  const auto begin = std::chrono::steady_clock::now();
  const auto child = start(command, pipe[1]);
  ::close(pipe[1]);
  ChildOutcome outcome;
  if (child) outcome.output = read_to_end(pipe[0]);
  ::close(pipe[0]);
  if (!child) return child.error();

  int status = 0;
  rusage usage{};
  while (::wait4(*child, &status, 0, &usage) < 0)
    if (errno != EINTR) return failed("waiting for " + command[0], errno);
  outcome.wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  outcome.cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  outcome.peak_memory = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

}  // namespace repoupdate::bench
