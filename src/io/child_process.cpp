// SPDX-License-Identifier: Apache-2.0
#include "io/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
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

// What the child reads lies in memory: whether it reads, and how slowly, does not matter to anybody.
Result<FileHandle> input_file(std::string_view bytes) {
  FileHandle file(::memfd_create("input", MFD_CLOEXEC));
  if (file.get() < 0) return errno_error(errno, "the input of a program");
  if (auto written = write_all_at(file, 0, bytes, "the input of a program"); !written)
    return std::move(written).error();
  return file;
}

struct ChildEnds {
  int input;  // less than 0: nothing
  int output;
  int errors;  //
};

Result<pid_t> spawn(const std::vector<std::string>& command, const ChildEnds& ends) {
  SpawnFiles files;
  if (ends.input >= 0)
    posix_spawn_file_actions_adddup2(files.get(), ends.input, STDIN_FILENO);
  else
    posix_spawn_file_actions_addopen(files.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(files.get(), ends.output, STDOUT_FILENO);
  if (ends.errors >= 0)
    posix_spawn_file_actions_adddup2(files.get(), ends.errors, STDERR_FILENO);
  else
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

// The reading end of a pipe; what has come through it is handed on.
class Pipe {
public:
  Result<void> open(const std::string& name) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno_error(errno, name);
    m_reader = FileHandle(ends[0]);
    m_writer = FileHandle(ends[1]);
    return {};
  }
  int writer() const { return m_writer.get(); }
  void close_writer() { m_writer = {}; }  // else the end would never be seen

  pollfd waiting() const { return {m_reader.get(), POLLIN, 0}; }
  void read_into(std::string& text) {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(m_reader.get(), buffer.data(), buffer.size());
    if (count > 0) text.append(buffer.data(), static_cast<std::size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) m_reader = {};
  }

private:
  FileHandle m_reader, m_writer;
};

Result<void> how_it_ended(const std::string& name, int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error{ErrorKind::io,
               name + (WIFEXITED(status) ? " ends with exit code " + std::to_string(WEXITSTATUS(status))
                                         : " is ended by signal " + std::to_string(WTERMSIG(status))),
               {}};
}

bool names_a_secret(std::string_view variable) {
  constexpr std::array<std::string_view, 6> k_telling{"SECRET", "PASS", "TOKEN", "KEY", "CREDENTIAL", "AUTH"};
  std::string name;
  for (const char c : variable) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return std::ranges::any_of(k_telling, [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

}  // namespace

Result<std::string> run_child(const std::vector<std::string>& command, const ChildLimits& limits,
                              const ChildStreams& streams) {
  if (command.empty() || command[0].empty()) return Error{ErrorKind::invalid, "there is no program to run", {}};
  const std::string name = "'" + command[0] + "'";
  FileHandle input;
  if (!streams.input.empty()) {
    auto file = input_file(streams.input);
    if (!file) return std::move(file).error();
    input = *std::move(file);
  }
  Pipe out, errors;
  if (auto opened = out.open(name); !opened) return std::move(opened).error();
  if (streams.complaints)
    if (auto opened = errors.open(name); !opened) return std::move(opened).error();
  const auto id = spawn(command, {input.get(), out.writer(), errors.writer()});
  if (!id) return id.error();
  Child child(*id);
  out.close_writer();
  errors.close_writer();

  const auto give_up = std::chrono::steady_clock::now() + limits.time;
  std::string output, ignored;
  std::string& complaints = streams.complaints ? *streams.complaints : ignored;
  for (;;) {
    const bool has_ended = child.status().has_value();  // before the look at the output, which is then complete
    std::array<pollfd, 2> waiting{out.waiting(), errors.waiting()};
    const int ready = ::poll(waiting.data(), waiting.size(), has_ended ? 0 : static_cast<int>(k_look_again.count()));
    if (ready > 0 && waiting[0].revents != 0) out.read_into(output);
    if (ready > 0 && waiting[1].revents != 0) errors.read_into(complaints);
    if (complaints.size() > k_max_complaints) complaints.erase(0, complaints.size() - k_max_complaints);
    if (output.size() > limits.output)
      return Error{ErrorKind::invalid, name + " writes more than " + std::to_string(limits.output) + " bytes", {}};
    if (ready == 0 && has_ended) break;
    if (limits.stop.stop_requested()) return Error{ErrorKind::cancelled, name + " was not waited for", {}};
    if (std::chrono::steady_clock::now() >= give_up)
      return Error{
          ErrorKind::timed_out, name + " did not end in " + std::to_string(limits.time.count()) + " milliseconds", {}};
  }
  if (auto ended = how_it_ended(name, *child.status()); !ended) return std::move(ended).error();
  return output;
}

std::string without_secrets(std::string_view complaints) {
  constexpr std::size_t k_least_secret = 6;  // shorter values are words like "true"
  constexpr std::string_view k_hidden = "(hidden)";
  std::string text;
  for (const char c : complaints) {
    const auto code = static_cast<unsigned char>(c);
    text += code < 0x20 || code == 0x7F ? ' ' : c;
  }
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view variable(*entry);
    const auto equals = variable.find('=');
    if (equals == std::string_view::npos || !names_a_secret(variable.substr(0, equals))) continue;
    const std::string_view value = variable.substr(equals + 1);
    if (value.size() < k_least_secret) continue;
    // On behind what was put there: the value may be a part of that.
    for (auto at = text.find(value); at != std::string::npos; at = text.find(value, at + k_hidden.size()))
      text.replace(at, value.size(), k_hidden);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  text.erase(0, text.find_first_not_of(' '));
  return text;
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
