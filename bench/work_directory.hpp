// SPDX-License-Identifier: Apache-2.0
// Where the repositories of a benchmark lie:
//
//     foreign-N-gz, foreign-N-zstd   as createrepo_c would write them; kept for the next run
//     pool-N                         packages to be put into them, and pool.json, which names them; kept
//     packages-N                     packages without metadata; kept
//     own-N-gz, own-N-zstd           as repoupdate wrote them in this run
//     run, scratch                   of the workload that runs just now
//
// Copies are made of hard links: nothing here is ever written to in place.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "child_process.hpp"
#include "io/posix_file.hpp"
#include "json.hpp"
#include "repodata/compression.hpp"

namespace repoupdate::bench {

inline constexpr std::size_t k_batch = 100;        // packages added at once
inline constexpr std::size_t k_pool_batches = 10;  // so many times
inline constexpr std::size_t k_pool_listed = 100;  // packages replaced, and as many erased
inline constexpr std::string_view k_pool_file = "pool.json";

// The lists in pool.json, of hrefs.
inline constexpr std::string_view k_pool_scattered =
    "scattered";                                                  // new packages, batch by batch, all over the alphabet
inline constexpr std::string_view k_pool_family = "family";       // new packages that stand side by side
inline constexpr std::string_view k_pool_listed_anew = "listed";  // packages of the repository with other bytes
inline constexpr std::string_view k_pool_gone = "gone";           // packages of the repository without a file

std::string_view name_of(Compression compression);  // "gz", "zstd"

struct StepOutcome {
  ChildOutcome process;
  Json result;
};

class WorkDirectory {
public:
  // `program`: this one, for its steps.
  WorkDirectory(std::filesystem::path root, std::string program)
      : m_root(std::move(root)), m_program(std::move(program)) {}

  WorkDirectory at(std::filesystem::path root) const { return {std::move(root), m_program}; }

  const std::filesystem::path& root() const { return m_root; }
  std::filesystem::path foreign(std::size_t packages, Compression compression) const;
  std::filesystem::path own(std::size_t packages, Compression compression) const;
  std::filesystem::path pool(std::size_t packages) const;
  std::filesystem::path run() const { return m_root / "run"; }
  std::filesystem::path scratch() const { return m_root / "scratch"; }

  // For as long as the handle lives. conflict: another run is using it.
  Result<FileHandle> lock() const;

  // Makes what is not there yet.
  Result<void> prepare_foreign(std::size_t packages, Compression compression) const;
  Result<std::filesystem::path> prepare_packages(std::size_t packages) const;
  Result<Json> read_pool(std::size_t packages) const;

  // Makes `run` a copy of the repository and, where they have a file, of the pool's packages of these hrefs.
  Result<void> start_run(const std::filesystem::path& repository) const;
  Result<void> link_packages(const std::filesystem::path& pool, const std::vector<std::string>& hrefs) const;
  // Keeps `run` as the own repository of that size.
  Result<void> keep_run(std::size_t packages, Compression compression) const;
  void remove_run() const;

  // Copies, not links: of the own repository of that size, and its pool.
  Result<void> copy_own(const WorkDirectory& from, std::size_t packages, Compression compression) const;
  void remove_all() const;

  // Runs a step (steps.hpp) in a process of its own.
  Result<StepOutcome> run_step_apart(std::string_view name, const Json& plan) const;

  // "tmpfs", "ext4", ... or the number of one that has no name here.
  std::string file_system() const;

private:
  Result<void> make_once(const std::filesystem::path& directory, std::string_view step_name, Json plan) const;

  std::filesystem::path m_root;
  std::string m_program;
};

// On /dev/shm where it has room, so that the disk is not what is compared; else below build/.
std::filesystem::path default_work_directory();

}  // namespace repoupdate::bench
