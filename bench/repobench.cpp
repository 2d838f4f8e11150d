// SPDX-License-Identifier: Apache-2.0
// repobench: measures updates of synthetic repositories, against the cost of hashing them and against createrepo_c.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "bars.hpp"
#include "base/heap.hpp"
#include "createrepo_c.hpp"
#include "report.hpp"
#include "runner.hpp"
#include "steps.hpp"
#include "stopwatch.hpp"

namespace repoupdate::bench {
namespace {

struct NamedStep {
  std::string_view name;
  Result<Json> (*run)(const Json& plan);
};

constexpr auto k_steps = std::to_array<NamedStep>({{"generate", generate_step},
                                                   {"pool", pool_step},
                                                   {"packages", packages_step},
                                                   {"update", update_step},
                                                   {"floor", floor_step},
                                                   {"check", check_step},
                                                   {"churn", churn_step}});

int fail(const Error& error) {
  std::fprintf(stderr, "repobench: %s\n", error.text().c_str());
  return 1;
}

int run_step(const std::string& name, const std::string& plan) {
  const auto step = std::ranges::find(k_steps, name, &NamedStep::name);
  if (step == k_steps.end()) return fail({ErrorKind::invalid, "no step is called " + name, {}});
  std::ifstream file(plan);
  const auto result = step->run(Json::parse(file));
  if (!result) return fail(result.error());
  std::printf("%s\n", result->dump().c_str());
  return 0;
}

struct Options {
  std::vector<std::size_t> sizes{1'000, 10'000, 70'000, 200'000};
  std::vector<std::string> compressions{"gz", "zstd"};
  std::vector<std::string> workloads;
  std::size_t repetitions = 5;
  std::size_t threads = std::max(1U, std::thread::hardware_concurrency());
  std::size_t createrepo_c_at_most = k_bar_size;
  std::string work_directory = default_work_directory();
  std::string disk = std::filesystem::absolute("build/bench-disk");
  bool no_disk = false;
  std::string json;
};

std::string workload_texts() {
  std::string text = "Workloads:\n";
  for (const auto& workload : k_workloads)
    text.append("  ").append(workload.name).append(12 - workload.name.size(), ' ').append(workload.text).append("\n");
  return text;
}

void declare(CLI::App& app, Options& options) {
  std::vector<std::string> names;
  for (const auto& workload : k_workloads) options.workloads.emplace_back(workload.name);
  names = options.workloads;
  app.add_option("--sizes", options.sizes, "packages of the repositories")->delimiter(',')->capture_default_str();
  app.add_option("--compressions", options.compressions)
      ->delimiter(',')
      ->check(CLI::IsMember({"gz", "zstd"}))
      ->capture_default_str();
  app.add_option("--workloads", options.workloads)->delimiter(',')->check(CLI::IsMember(names));
  app.add_option("--repetitions", options.repetitions, "at most 3 of them from 50,000 packages on")
      ->check(CLI::Range(std::size_t{1}, k_max_rounds - 1))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "for repoupdate and createrepo_c")->capture_default_str();
  app.add_option("--createrepo-c-at-most", options.createrepo_c_at_most, "packages; 0: do not measure it")
      ->capture_default_str();
  app.add_option("--work", options.work_directory, "where the repositories lie; they stay for the next run")
      ->capture_default_str();
  app.add_option("--disk", options.disk, "a directory on disk, where append1 is measured too")->capture_default_str();
  app.add_flag("--no-disk", options.no_disk, "do not");
  app.add_option("--json", options.json, "also write the results to this file");
  app.footer(workload_texts());
}

Selection selection_of(const Options& options) {
  Selection selection;
  selection.sizes = options.sizes;
  for (const auto& name : options.compressions)
    selection.compressions.push_back(name == "zstd" ? Compression::zstd : Compression::gz);
  for (const auto& name : options.workloads) selection.workloads.insert(*parse_workload(name));
  selection.repetitions = options.repetitions;
  selection.threads = options.threads;
  selection.createrepo_c_at_most = createrepo_c_version() ? options.createrepo_c_at_most : 0;
  if (!options.no_disk) selection.disk = options.disk;
  return selection;
}

int measure(const Options& options, const std::string& command) {
  std::filesystem::create_directories(options.work_directory);
  const WorkDirectory work(std::filesystem::canonical(options.work_directory), "/proc/self/exe");
  const auto lock = work.lock();
  if (!lock) return fail(lock.error());
  Circumstances circumstances = describe_machine();
  circumstances.command = command;
  circumstances.threads = options.threads;
  circumstances.work_directory = options.work_directory;
  circumstances.file_system = work.file_system();
  std::fprintf(stderr, "repobench: files in %s (%s%s), load %.2f\n", options.work_directory.c_str(),
               circumstances.file_system.c_str(),
               circumstances.file_system == "tmpfs" ? ", where fsync costs nothing" : "", circumstances.load);

  const Stopwatch stopwatch;
  Runner runner(work, selection_of(options), [&](std::string_view line) {
    std::fprintf(stderr, "%7.1f s %s\n", stopwatch.wall(), std::string(line).c_str());
  });
  auto measurements = runner.run();
  if (!measurements) return fail(measurements.error());
  judge(*measurements);
  circumstances.seconds = stopwatch.wall();
  std::fputs(to_markdown(circumstances, *measurements).c_str(), stdout);
  if (options.json.empty()) return 0;
  std::ofstream file(options.json);
  file << to_json(circumstances, *measurements).dump(1) << '\n';
  file.close();
  return file ? 0 : fail({ErrorKind::io, "writing " + options.json + " failed", {}});
}

int run(int argc, char** argv) {
  CLI::App app("Measures updates of synthetic repositories.", "repobench");
  Options options;
  declare(app, options);
  std::string step, plan;
  CLI::App* step_command = app.add_subcommand("step", "one step in this process; repobench calls itself so");
  step_command->add_option("name", step)->required();
  step_command->add_option("plan", plan)->required();
  CLI11_PARSE(app, argc, argv);
  if (*step_command) return run_step(step, plan);
  std::string command = "repobench";
  for (int i = 1; i < argc; ++i) command.append(" ").append(argv[i]);
  return measure(options, command);
}

}  // namespace
}  // namespace repoupdate::bench

int main(int argc, char** argv) {
  repoupdate::return_memory_at_once();  // as the program does
  try {
    return repoupdate::bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "repobench: %s\n", failure.what());
    return 1;
  }
}
