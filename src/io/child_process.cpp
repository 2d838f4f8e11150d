// SPDX-License-Identifier: Apache-2.0
#include "io/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

#include "io/posix_file.hpp"

extern char** environ;

namespace repoupdate {
namespace {

// A child may go on without its output, and leave its output to others: both are looked at this often.
constexpr std::chrono::milliseconds k_look_again{20};

class SpawnFiles {
public:
  SpawnFiles() { posix_spawn_file_actions_init(&m_actions); }
  ~SpawnFiles() { posix_spawn_file_actions_destroy(&m_actions); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  posix_spawn_file_actions_t* get() { return &m_actions; }

private:
  posix_spawn_file_actions_t m_actions{};
};

class SpawnAttributes {
public:
  SpawnAttributes() { posix_spawnattr_init(&m_attributes); }
  ~SpawnAttributes() { posix_spawnattr_destroy(&m_attributes); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  posix_spawnattr_t* get() { return &m_attributes; }

private:
  posix_spawnattr_t m_attributes{};
};

// A running child in a process group of its own, killed and waited for at the end of its scope.
class Child {
public:
  explicit Child(pid_t id) : m_id(id) {}
  ~Child() {
    if (m_status) return;
    ::kill(-m_id, SIGKILL);
    int status = 0;
    while (::waitpid(m_id, &status, 0) < 0 && errno == EINTR) {
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // As waitpid() says; nothing while it runs.
  std::optional<int> status() {
    int status = 0;
    if (!m_status && ::waitpid(m_id, &status, WNOHANG) == m_id) m_status = status;
    return m_status;
  }

private:
  const pid_t m_id;
  std::optional<int> m_status;
};

Result<pid_t> spawn(const std::vector<std::string>& command, int output) {
  SpawnFiles files;
  posix_spawn_file_actions_addopen(files.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(files.get(), output, STDOUT_FILENO);
  posix_spawn_file_actions_addopen(files.get(), STDERR_FILENO, "/dev/null", O_WRONLY, 0);

  // What this program does about signals is not the child's business.
  SpawnAttributes attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(attributes.get(), &none);
  posix_spawnattr_setsigdefault(attributes.get(), &all);
  posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t id = 0;
  const int failure = posix_spawnp(&id, arguments[0], files.get(), attributes.get(), arguments.data(), environ);
  if (failure != 0) return errno_error(failure, "'" + command[0] + "'");
  return id;
}

}  // namespace

Result<std::string> run_child(const std::vector<std::string>& command, const ChildLimits& limits) {
  if (command.empty() || command[0].empty()) return Error{ErrorKind::invalid, "there is no program to run", {}};
  const std::string name = "'" + command[0] + "'";
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, name);
  const FileHandle reader(ends[0]);
  std::optional<FileHandle> writer(ends[1]);
  const auto id = spawn(command, writer->get());
  if (!id) return id.error();
  Child child(*id);
  writer.reset();  // else the end of the output would never be seen

  const auto give_up = std::chrono::steady_clock::now() + limits.time;
  std::string output;
  std::array<char, 4096> buffer{};
  bool is_open = true;
  for (;;) {
    const bool has_ended = child.status().has_value();  // before the look at the output, which is then complete
    pollfd waiting{is_open ? reader.get() : -1, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, has_ended ? 0 : static_cast<int>(k_look_again.count()));
    if (ready > 0) {
      const ssize_t count = ::read(reader.get(), buffer.data(), buffer.size());
      is_open = count > 0 || (count < 0 && errno == EINTR);
      if (count > 0) output.append(buffer.data(), static_cast<std::size_t>(count));
      if (output.size() > limits.output)
        return Error{ErrorKind::invalid, name + " writes more than " + std::to_string(limits.output) + " bytes", {}};
    } else if (ready == 0 && has_ended) {
      break;
    }
    if (limits.stop.stop_requested()) return Error{ErrorKind::cancelled, name + " was not waited for", {}};
    if (std::chrono::steady_clock::now() >= give_up)
      return Error{
          ErrorKind::timed_out, name + " did not end in " + std::to_string(limits.time.count()) + " milliseconds", {}};
  }
  const int status = *child.status();
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  return Error{ErrorKind::io,
               name + (WIFEXITED(status) ? " ends with exit code " + std::to_string(WEXITSTATUS(status))
                                         : " is ended by signal " + std::to_string(WTERMSIG(status))),
               {}};
}

std::optional<std::vector<std::string>> split_command(std::string_view line) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      in_word = false;
      continue;
    }
    if (!in_word) words.emplace_back();
    in_word = true;
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && i + 1 < line.size() &&
               (quote == 0 || (quote == '"' && (line[i + 1] == '"' || line[i + 1] == '\\')))) {
      words.back() += line[++i];
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return std::nullopt;
  return words;
}

}  // namespace repoupdate
