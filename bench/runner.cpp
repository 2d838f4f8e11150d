// SPDX-License-Identifier: Apache-2.0
#include "runner.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

#include "createrepo_c.hpp"

namespace repoupdate::bench {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t k_large = 50'000;  // packages; from here on seconds pass
constexpr std::size_t k_large_repetitions = 3;
constexpr std::size_t k_small_floors = 3;         // how often the floor is measured, where it takes little
constexpr std::size_t k_thorough_check = 10'000;  // packages; the full parser takes longer than what it checks
constexpr std::size_t k_churn_edits = 1'000;
constexpr std::array k_edits{Workload::append1,  Workload::append100, Workload::family100,
                             Workload::replace1, Workload::erase1,    Workload::noop};
constexpr std::array k_edits_without_open_checksum{Workload::append1, Workload::replace1, Workload::erase1};
// Beyond the size of the promises, what shows how it grows.
constexpr std::array k_workloads_of_the_largest{Workload::append1, Workload::erase1, Workload::noop, Workload::first};
// Where createrepo_c takes a minute, what has to be so much faster than it.
constexpr std::array k_compared_when_large{Workload::append1, Workload::replace1, Workload::erase1, Workload::first};

bool contains(std::span<const Workload> workloads, Workload wanted) {
  return std::ranges::find(workloads, wanted) != workloads.end();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

Json plan_of(const WorkDirectory& work, const Measurement& wanted, std::size_t threads, Json rounds) {
  const bool is_new = wanted.workload == Workload::build;
  return {{"repository", work.run().string()},
          {"scratch", work.scratch().string()},
          {"threads", threads},
          {"open_checksum", wanted.open_checksum},
          {"compression", is_new ? Json(name_of(wanted.compression)) : Json()},
          {"rounds", std::move(rounds)}};
}

bool has_same_floor(const Measurement& one, const Measurement& other) {
  return one.packages == other.packages && one.compression == other.compression && one.floor && other.floor;
}

// Repositories of one size and compression have almost the same bytes, whatever was done to them.
void even_out_floors(std::vector<Measurement>& measurements) {
  const std::vector<Measurement> measured = measurements;
  for (auto& measurement : measurements) {
    std::vector<double> floors;
    for (const auto& other : measured)
      if (has_same_floor(measurement, other)) floors.push_back(*other.floor);
    if (!floors.empty()) measurement.floor = median(std::move(floors));
  }
}

// Several processes' or, of a warm one, rounds' costs.
struct Costs {
  std::vector<double> wall, cpu, process_wall;
  std::uint64_t peak_memory = 0;  // the greatest

  void add(const Json& round) {
    wall.push_back(round.at("wall").get<double>());
    cpu.push_back(round.at("cpu").get<double>());
  }
  void add(const ChildOutcome& process) {
    process_wall.push_back(process.wall);
    peak_memory = std::max(peak_memory, process.peak_memory);
  }
};

}  // namespace

Measurement Runner::wanted(Workload workload, std::size_t packages, Compression compression, Start start) const {
  Measurement wanted;
  wanted.workload = workload;
  wanted.packages = packages;
  wanted.compression = compression;
  wanted.start = start;
  return wanted;
}

bool Runner::is_selected(Workload workload, std::size_t packages) const {
  const bool is_shown = packages <= k_bar_size || contains(k_workloads_of_the_largest, workload);
  return is_shown && m_selection.workloads.contains(workload);
}

std::size_t Runner::repetitions(std::size_t packages) const {
  return packages < k_large ? m_selection.repetitions : std::min(m_selection.repetitions, k_large_repetitions);
}

Result<std::vector<Measurement>> Runner::run() {
  for (const std::size_t packages : m_selection.sizes)
    for (const Compression compression : m_selection.compressions)
      if (auto done = run_size(packages, compression); !done) return std::move(done).error();
  for (const Compression compression : m_selection.compressions)
    if (m_selection.workloads.contains(Workload::build))
      if (auto done = run_build(compression); !done) return std::move(done).error();
  m_work.remove_run();
  even_out_floors(m_measurements);
  return std::move(m_measurements);
}

Result<void> Runner::run_size(std::size_t packages, Compression compression) {
  m_progress("a repository of " + std::to_string(packages) + " packages, " + std::string(name_of(compression)));
  if (auto prepared = m_work.prepare_foreign(packages, compression); !prepared) return prepared;
  // createrepo_c is compared on gz.
  if (auto prepared = m_work.prepare_foreign(packages, Compression::gz); !prepared) return prepared;
  if (auto done = run_first(packages, compression); !done) return done;
  for (const Workload workload : k_edits) {
    if (!is_selected(workload, packages)) continue;
    for (const Start start : {Start::cold, Start::warm})
      if (auto done = run_edit(m_work, wanted(workload, packages, compression, start)); !done) return done;
  }
  for (const Workload workload : k_edits_without_open_checksum) {
    if (!is_selected(workload, packages)) continue;
    Measurement measurement = wanted(workload, packages, compression, Start::warm);
    measurement.open_checksum = false;
    if (auto done = run_edit(m_work, std::move(measurement)); !done) return done;
  }
  if (m_selection.disk && packages == k_bar_size)
    if (auto done = run_disk(compression); !done) return done;
  if (packages == k_thorough_check && m_selection.workloads.contains(Workload::churn))
    return run_churn(packages, compression);
  return {};
}

// Also makes the repository that the other workloads begin with.
Result<void> Runner::run_first(std::size_t packages, Compression compression) {
  const auto pool = m_work.read_pool(packages);
  if (!pool) return pool.error();
  const Round round = make_round(Workload::first, *pool, 0, packages);
  if (auto started = m_work.start_run(m_work.foreign(packages, compression)); !started) return started;
  if (auto linked = m_work.link_packages(m_work.pool(packages), round.hrefs); !linked) return linked;
  auto measurement = measure(m_work, wanted(Workload::first, packages, compression, Start::cold), {round});
  if (!measurement) return std::move(measurement).error();
  if (auto kept = m_work.keep_run(packages, compression); !kept) return kept;
  if (!is_selected(Workload::first, packages)) return {};
  return finish(m_work, m_work.own(packages, compression), *std::move(measurement), round.packages);
}

Result<void> Runner::run_edit(const WorkDirectory& work, Measurement wanted) {
  const std::size_t size = wanted.packages;
  const auto pool = m_work.read_pool(size);
  if (!pool) return pool.error();
  std::size_t packages = size + 1;  // `first` has added one
  std::vector<Round> rounds;
  if (wanted.start == Start::warm) {  // not counted: reads what a daemon knows after its first update
    const bool is_noop = wanted.workload == Workload::noop;
    rounds.push_back(make_round(is_noop ? Workload::append1 : wanted.workload, *pool, 0, packages));
    packages = rounds.back().packages;
  }
  for (std::size_t number = 1; number <= repetitions(size); ++number) {
    rounds.push_back(make_round(wanted.workload, *pool, number, packages));
    packages = rounds.back().packages;
  }
  if (auto started = work.start_run(work.own(size, wanted.compression)); !started) return started;
  for (const auto& round : rounds)
    if (round.publishes)
      if (auto linked = work.link_packages(work.pool(size), round.hrefs); !linked) return linked;
  auto measurement = measure(work, std::move(wanted), rounds);
  if (!measurement) return std::move(measurement).error();
  return finish(work, work.run(), *std::move(measurement), packages);
}

// append1 on disk, with the repositories that were made for the others.
Result<void> Runner::run_disk(Compression compression) {
  if (!m_selection.workloads.contains(Workload::append1)) return {};
  const WorkDirectory disk = m_work.at(*m_selection.disk);
  if (auto copied = disk.copy_own(m_work, k_bar_size, compression); !copied) return copied;
  for (const Start start : {Start::cold, Start::warm})
    if (auto done = run_edit(disk, wanted(Workload::append1, k_bar_size, compression, start)); !done) return done;
  disk.remove_all();
  return {};
}

Result<void> Runner::run_build(Compression compression) {
  const auto directory = m_work.prepare_packages(k_build_packages);
  if (!directory) return directory.error();
  Measurement measurement = wanted(Workload::build, k_build_packages, compression, Start::cold);
  Json round = to_json({{}, k_build_packages, true});
  round["reconcile"] = true;
  Costs costs;
  for (std::size_t i = 0; i < m_selection.repetitions; ++i) {
    if (auto started = m_work.start_run(*directory); !started) return started;
    const auto outcome =
        m_work.run_step_apart("update", plan_of(m_work, measurement, m_selection.threads, Json::array({round})));
    if (!outcome) return outcome.error();
    costs.add(outcome->result.at("rounds").front());
    costs.add(outcome->process);
  }
  measurement.repetitions = costs.wall.size();
  measurement.cost = {median(costs.wall), median(costs.cpu), costs.peak_memory};
  measurement.process_wall = median(costs.process_wall);
  return finish(m_work, m_work.run(), std::move(measurement), k_build_packages);
}

Result<void> Runner::run_churn(std::size_t packages, Compression compression) {
  const Json plan{{"repository", m_work.own(packages, compression).string()},
                  {"scratch", m_work.scratch().string()},
                  {"generated", packages},
                  {"edits", k_churn_edits},
                  {"threads", m_selection.threads}};
  const auto outcome = m_work.run_step_apart("churn", plan);
  if (!outcome) return outcome.error();
  Measurement measurement = wanted(Workload::churn, packages, compression, Start::warm);
  measurement.open_checksum = false;
  measurement.file_system = m_work.file_system();
  measurement.repetitions = 1;
  measurement.cost = {outcome->result.at("wall").get<double>(), outcome->process.cpu, outcome->process.peak_memory};
  measurement.growth = outcome->result.at("stored").get<double>() / outcome->result.at("at_once").get<double>() - 1;
  m_measurements.push_back(std::move(measurement));
  return {};
}

// Warm: all rounds in one process, and the first is not counted. Cold: a process each.
Result<Measurement> Runner::measure(const WorkDirectory& work, Measurement wanted,
                                    const std::vector<Round>& rounds) const {
  const bool is_warm = wanted.start == Start::warm;
  std::vector<Json> processes;
  if (is_warm) processes.push_back(Json::array());
  for (const auto& round : rounds) {
    if (!is_warm) processes.push_back(Json::array());
    processes.back().push_back(to_json(round));
  }
  Costs costs;
  for (Json& process : processes) {
    const auto outcome = work.run_step_apart("update", plan_of(work, wanted, m_selection.threads, std::move(process)));
    if (!outcome) return outcome.error();
    const Json& results = outcome->result.at("rounds");
    for (std::size_t i = is_warm ? 1 : 0; i < results.size(); ++i) costs.add(results.at(i));
    costs.add(outcome->process);
  }
  wanted.repetitions = costs.wall.size();
  wanted.cost = {median(costs.wall), median(costs.cpu), costs.peak_memory};
  if (!is_warm) wanted.process_wall = median(costs.process_wall);
  return wanted;
}

Result<double> Runner::floor(const fs::path& repository, std::size_t times) const {
  std::vector<double> seconds;
  for (std::size_t i = 0; i < times; ++i) {
    const auto outcome = m_work.run_step_apart("floor", {{"repository", repository.string()}});
    if (!outcome) return outcome.error();
    seconds.push_back(outcome->result.at("wall").get<double>());
  }
  return median(std::move(seconds));
}

Result<void> Runner::add_createrepo_c(Measurement& measurement) {
  const bool is_main = measurement.file_system == m_work.file_system();
  if (measurement.packages > m_selection.createrepo_c_at_most || !is_main) return {};
  if (measurement.packages >= k_large && !contains(k_compared_when_large, measurement.workload)) return {};
  // Where the two are about as fast, once is too little, and another minute's figure too old.
  const bool is_close = measurement.workload == Workload::build;
  for (const auto& other : m_measurements) {  // it does the same for us warm or cold, gz or zstd
    if (is_close || createrepo_c_task(other.workload) != createrepo_c_task(measurement.workload) ||
        other.packages != measurement.packages || !other.createrepo_c)
      continue;
    measurement.createrepo_c = other.createrepo_c;
    return {};
  }
  std::vector<Cost> costs(is_close ? m_selection.repetitions : 1);
  for (Cost& cost : costs) {
    auto measured = measure_createrepo_c(m_work, measurement.workload, measurement.packages, m_selection.threads);
    if (!measured) return std::move(measured).error();
    cost = *measured;
  }
  std::ranges::sort(costs, {}, &Cost::wall);
  measurement.createrepo_c = costs[costs.size() / 2];
  return {};
}

// Checks what was written, and measures what it is compared with.
Result<void> Runner::finish(const WorkDirectory& work, const fs::path& repository, Measurement measurement,
                            std::size_t packages) {
  const Json check{{"repository", repository.string()},
                   {"packages", packages},
                   {"thorough", measurement.packages <= k_thorough_check}};
  if (auto checked = work.run_step_apart("check", check); !checked) return std::move(checked).error();
  if (measurement.workload != Workload::build) {  // which hashes packages, not metadata
    const auto seconds = floor(repository, measurement.packages < k_large ? k_small_floors : 1);
    if (!seconds) return seconds.error();
    measurement.floor = *seconds;
  }
  measurement.file_system = work.file_system();

  std::array<char, 160> line;
  std::snprintf(line.data(), line.size(), "  %-9s %s%s %9.3f s  %6.0f MB  floor %.3f s",
                std::string(info(measurement.workload).name).c_str(),
                measurement.start == Start::warm ? "warm" : "cold", measurement.open_checksum ? "" : " omit",
                measurement.cost.wall, static_cast<double>(measurement.cost.peak_memory) / 1e6,
                measurement.floor.value_or(0));
  m_progress(line.data());

  if (auto compared = add_createrepo_c(measurement); !compared) return compared;
  m_measurements.push_back(std::move(measurement));
  return {};
}

}  // namespace repoupdate::bench
