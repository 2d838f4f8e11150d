// SPDX-License-Identifier: Apache-2.0
#include "io/gpg_home.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string_view>

#include "io/child_process.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_name = "repoupdate-gpg-";
constexpr std::string_view k_lock = "/lock";
// The agent's sockets lie in it, and the path of a socket has at most 107 bytes.
constexpr std::size_t k_max_directory = 64;

std::string directory_for_homes() {
  for (const char* variable : {"RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR", "TMPDIR"}) {
    const char* value = std::getenv(variable);
    const std::string directory = value ? value : "";
    if (directory.starts_with('/') && directory.size() <= k_max_directory && ::access(directory.c_str(), W_OK) == 0)
      return directory;
  }
  return "/tmp";
}

void remove_home(const std::string& path) {
  // Without an agent there is nothing to end, and a failure leaves an agent that ends when its home is gone.
  const auto ended =
      run_child({"gpgconf", "--homedir", path, "--kill", "all"}, {.time = std::chrono::seconds(10), .output = 1 << 16});
  static_cast<void>(ended.ok());
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

// Homes whose owner has died: nobody holds their lock.
void remove_abandoned(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (!entry.path().filename().string().starts_with(k_name)) continue;
    struct stat status {};
    const std::string path = entry.path().string();
    if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) continue;
    auto lock = open_file(path + std::string(k_lock), O_RDWR | O_NOFOLLOW, path);
    if (lock && ::flock(lock->get(), LOCK_EX | LOCK_NB) == 0) remove_home(path);
  }
}

}  // namespace

Result<std::unique_ptr<GpgHome>> GpgHome::create() {
  const std::string directory = directory_for_homes();
  remove_abandoned(directory);
  std::string path = directory + '/' + std::string(k_name) + "XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return errno_error(errno, "a private GNUPGHOME in " + directory);
  // Locked before it has its name: who looks for abandoned ones passes by.
  const std::string unfinished = path + std::string(k_lock) + ".new";
  auto lock = open_file(unfinished, O_RDWR | O_CREAT | O_EXCL, path, 0600);
  if (!lock) return std::move(lock).error();
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) return errno_error(errno, path);
  if (::rename(unfinished.c_str(), (path + std::string(k_lock)).c_str()) != 0) return errno_error(errno, path);
  return std::unique_ptr<GpgHome>(new GpgHome(std::move(path), *std::move(lock)));
}

GpgHome::~GpgHome() {
  remove_home(m_path);
}

}  // namespace repoupdate
