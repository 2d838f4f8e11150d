// SPDX-License-Identifier: Apache-2.0
#include "work_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/vfs.h>

#include <fstream>
#include <sstream>
#include <utility>

namespace repoupdate::bench {
namespace fs = std::filesystem;
namespace {

constexpr std::uintmax_t k_wanted_room = std::uintmax_t{6} << 30;  // the standard selection uses half of it

Error io_error(const std::string& what, const std::error_code& failure) {
  return {ErrorKind::io, what + ": " + failure.message(), {}};
}

// Directories are made, files linked.
Result<void> link_tree(const fs::path& from, const fs::path& to) {
  std::error_code failure;
  fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::create_hard_links, failure);
  if (failure) return io_error("linking " + from.string() + " to " + to.string(), failure);
  return {};
}

std::string sized(std::string_view what, std::size_t packages) {
  return std::string(what) + '-' + std::to_string(packages);
}

}  // namespace

std::string_view name_of(Compression compression) {
  return compression == Compression::zstd ? "zstd" : "gz";
}

fs::path WorkDirectory::foreign(std::size_t packages, Compression compression) const {
  return m_root / (sized("foreign", packages) + '-' + std::string(name_of(compression)));
}
fs::path WorkDirectory::own(std::size_t packages, Compression compression) const {
  return m_root / (sized("own", packages) + '-' + std::string(name_of(compression)));
}
fs::path WorkDirectory::pool(std::size_t packages) const {
  return m_root / sized("pool", packages);
}

// The directory gets its name only when all is in it.
Result<void> WorkDirectory::make_once(const fs::path& directory, std::string_view step_name, Json plan) const {
  if (fs::exists(directory)) return {};
  const fs::path unfinished = directory.string() + ".unfinished";
  std::error_code failure;
  fs::remove_all(unfinished, failure);
  fs::create_directories(unfinished, failure);
  if (failure) return io_error("creating " + unfinished.string(), failure);
  plan["directory"] = unfinished.string();
  const auto made = run_step_apart(step_name, plan);
  if (!made) return made.error();
  fs::rename(unfinished, directory, failure);
  if (failure) return io_error("renaming " + unfinished.string(), failure);
  return {};
}

Result<FileHandle> WorkDirectory::lock() const {
  const fs::path path = m_root / "lock";
  auto file = open_file(path.string(), O_CREAT | O_RDWR, path.string(), 0600);
  if (file && ::flock(file->get(), LOCK_EX | LOCK_NB) != 0)
    return Error{
        ErrorKind::conflict, "another run is using " + m_root.string() + "; choose another one with --work", {}};
  return file;
}

Result<void> WorkDirectory::prepare_foreign(std::size_t packages, Compression compression) const {
  const Json plan{{"packages", packages}, {"compression", name_of(compression)}};
  if (auto made = make_once(foreign(packages, compression), "generate", plan); !made) return made;
  return make_once(pool(packages), "pool", {{"packages", packages}});
}

Result<fs::path> WorkDirectory::prepare_packages(std::size_t packages) const {
  fs::path directory = m_root / sized("packages", packages);
  if (auto made = make_once(directory, "packages", {{"packages", packages}}); !made) return std::move(made).error();
  return directory;
}

Result<Json> WorkDirectory::read_pool(std::size_t packages) const {
  std::ifstream file(pool(packages) / k_pool_file);
  Json lists = Json::parse(file, nullptr, false);
  if (lists.is_discarded())
    return Error{ErrorKind::corrupt, (pool(packages) / k_pool_file).string() + " is not there or broken", {}};
  return lists;
}

Result<void> WorkDirectory::start_run(const fs::path& repository) const {
  remove_run();
  std::error_code failure;
  fs::create_directories(scratch(), failure);
  if (failure) return io_error("creating " + scratch().string(), failure);
  return link_tree(repository, run());
}

Result<void> WorkDirectory::link_packages(const fs::path& pool, const std::vector<std::string>& hrefs) const {
  for (const auto& href : hrefs) {
    if (!fs::exists(pool / href)) continue;
    std::error_code failure;
    fs::create_directories((run() / href).parent_path(), failure);
    fs::create_hard_link(pool / href, run() / href, failure);
    if (failure) return io_error("linking " + (run() / href).string(), failure);
  }
  return {};
}

Result<void> WorkDirectory::keep_run(std::size_t packages, Compression compression) const {
  std::error_code failure;
  fs::remove_all(own(packages, compression), failure);
  fs::rename(run(), own(packages, compression), failure);
  if (failure) return io_error("keeping " + run().string(), failure);
  return {};
}

void WorkDirectory::remove_run() const {
  std::error_code ignored;
  fs::remove_all(run(), ignored);
}

Result<void> WorkDirectory::copy_own(const WorkDirectory& from, std::size_t packages, Compression compression) const {
  std::error_code failure;
  fs::remove_all(m_root, failure);
  fs::create_directories(m_root, failure);
  if (failure) return io_error("creating " + m_root.string(), failure);
  fs::copy(from.own(packages, compression), own(packages, compression), fs::copy_options::recursive, failure);
  if (!failure) fs::copy(from.pool(packages), pool(packages), fs::copy_options::recursive, failure);
  if (failure) return io_error("copying to " + m_root.string(), failure);
  return {};
}

void WorkDirectory::remove_all() const {
  std::error_code ignored;
  fs::remove_all(m_root, ignored);
}

Result<StepOutcome> WorkDirectory::run_step_apart(std::string_view name, const Json& plan) const {
  const fs::path path = m_root / "plan.json";
  std::ofstream file(path);
  file << plan.dump();
  file.close();
  if (!file) return Error{ErrorKind::io, "writing " + path.string() + " failed", {}};
  auto process = run_child({m_program, "step", std::string(name), path.string()});
  if (!process) return std::move(process).error();
  Json result = Json::parse(process->output, nullptr, false);
  if (process->exit_code != 0 || result.is_discarded())
    return Error{ErrorKind::io, "step " + std::string(name) + " failed; its plan is " + path.string(), {}};
  return StepOutcome{*std::move(process), std::move(result)};
}

// Numbers of linux/magic.h and of the file systems themselves.
std::string WorkDirectory::file_system() const {
  struct statfs facts {};
  if (::statfs(m_root.c_str(), &facts) != 0) return "unknown";
  switch (static_cast<unsigned long>(facts.f_type)) {
    case 0x01021994: return "tmpfs";
    case 0xef53: return "ext4";
    case 0x58465342: return "xfs";
    case 0x9123683e: return "btrfs";
    case 0x794c7630: return "overlayfs";
    default: break;
  }
  std::ostringstream text;
  text << "file system 0x" << std::hex << facts.f_type;
  return text.str();
}

fs::path default_work_directory() {
  const fs::path memory = "/dev/shm";
  std::error_code failure;
  const auto space = fs::space(memory, failure);
  if (!failure && space.available >= k_wanted_room) return memory / "repobench";
  return fs::absolute("build/bench-work");
}

}  // namespace repoupdate::bench
