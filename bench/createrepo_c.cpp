// SPDX-License-Identifier: Apache-2.0
#include "createrepo_c.hpp"

#include <fstream>
#include <utility>
#include <vector>

#include "child_process.hpp"

namespace repoupdate::bench {
namespace {

// What it is told, and how many packages there are then.
struct Task {
  std::vector<std::string> options;
  std::vector<std::string> added;
  std::size_t packages = 0;
};

// It takes a package of the same name for the same package (--skip-stat), so that replacing one is, for it, excluding
// one and adding another.
Task task_of(Workload workload, const Json& pool, std::size_t packages) {
  Task task;
  task.packages = packages;
  const auto exclude = [&] {
    task.options.push_back("--excludes=" + make_round(Workload::erase1, pool, 1, packages).hrefs.front());
    --task.packages;
  };
  const auto add = [&](Workload like) {
    task.added = make_round(like, pool, 1, packages).hrefs;
    task.packages += task.added.size();
  };
  switch (createrepo_c_task(workload)) {
    case Workload::append1:
    case Workload::append100: add(createrepo_c_task(workload)); break;
    case Workload::replace1: exclude(), add(Workload::append1); break;
    case Workload::erase1: exclude(); break;
    case Workload::family100:
    case Workload::first:
    case Workload::noop:
    case Workload::build:
    case Workload::churn: break;
  }
  return task;
}

std::vector<std::string> base_command(std::size_t threads) {
  return {"createrepo_c", "-q", "--no-database", "--general-compress-type=gz", "--workers=" + std::to_string(threads)};
}

Result<Cost> run_on(const WorkDirectory& work, std::vector<std::string> command, std::size_t packages) {
  command.push_back(work.run().string());
  const auto outcome = run_child(command);
  if (!outcome) return outcome.error();
  if (outcome->exit_code != 0) return Error{ErrorKind::io, "createrepo_c failed", {}};
  const Json plan{{"repository", work.run().string()}, {"packages", packages}, {"thorough", false}};
  if (auto checked = work.run_step_apart("check", plan); !checked) return std::move(checked).error();
  return Cost{outcome->wall, outcome->cpu, outcome->peak_memory};
}

}  // namespace

std::optional<std::string> createrepo_c_version() {
  const auto outcome = run_child({"createrepo_c", "--version"});
  if (!outcome || outcome->exit_code != 0) return std::nullopt;
  const std::string text = outcome->output.substr(outcome->output.find(' ') + 1);  // "Version: 0.17.3 (Features: ...)"
  return text.substr(0, text.find_first_of(" \n"));
}

Result<Cost> measure_createrepo_c(const WorkDirectory& work, Workload workload, std::size_t packages,
                                  std::size_t threads) {
  std::vector<std::string> command = base_command(threads);
  if (workload == Workload::build) {
    const auto directory = work.prepare_packages(packages);
    if (!directory) return directory.error();
    if (auto started = work.start_run(*directory); !started) return std::move(started).error();
    return run_on(work, std::move(command), packages);
  }

  const auto pool = work.read_pool(packages);
  if (!pool) return pool.error();
  const Task task = task_of(workload, *pool, packages);
  if (auto started = work.start_run(work.foreign(packages, Compression::gz)); !started)
    return std::move(started).error();
  if (auto linked = work.link_packages(work.pool(packages), task.added); !linked) return std::move(linked).error();
  for (const char* option : {"--update", "--skip-stat", "--recycle-pkglist"}) command.emplace_back(option);
  command.insert(command.end(), task.options.begin(), task.options.end());
  if (!task.added.empty()) {
    const auto list = work.root() / "pkglist";
    std::ofstream file(list);
    for (const auto& href : task.added) file << href << '\n';
    command.push_back("--pkglist=" + list.string());
  }
  return run_on(work, std::move(command), task.packages);
}

}  // namespace repoupdate::bench
