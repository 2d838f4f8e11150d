// SPDX-License-Identifier: Apache-2.0
#include "bars.hpp"

#include <array>
#include <cstdio>
#include <string>

#include "runner.hpp"

namespace repoupdate::bench {
namespace {

constexpr double k_warm_floors = 1.5, k_cold_floors = 3, k_omit_floors = 0.4;
constexpr double k_warm_faster = 40, k_cold_faster = 20, k_first_faster = 4, k_build_faster = 1;
constexpr double k_batch_over_one = 1.3;
constexpr double k_noop_seconds = 0.020;
constexpr double k_small_seconds = 0.015;
constexpr std::size_t k_small = 1'000;  // packages
constexpr double k_peak_mib = 256;
constexpr double k_peak_growth = 1.3;  // from the middle size to the largest
constexpr std::size_t k_middle = 10'000, k_largest = 200'000;
constexpr double k_gz_growth = 0.02, k_zstd_growth = 0.08;

std::string number(double value) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

void at_most(Measurement& measurement, double value, double limit, const std::string& what) {
  measurement.bars.push_back({"at most " + number(limit) + what, value <= limit});
}

void faster(Measurement& measurement, double limit) {
  if (!measurement.createrepo_c) return;
  measurement.bars.push_back(
      {"at least " + number(limit) + " x faster than createrepo_c", times_faster(measurement) >= limit});
}

bool is_single(Workload workload) {
  return workload == Workload::append1 || workload == Workload::replace1 || workload == Workload::erase1;
}

// The measurement that differs in nothing but workload and size.
const Measurement* find_like(const std::vector<Measurement>& all, const Measurement& like, Workload workload,
                             std::size_t packages) {
  for (const auto& other : all)
    if (other.workload == workload && other.packages == packages && other.compression == like.compression &&
        other.start == like.start && other.open_checksum == like.open_checksum && other.file_system == like.file_system)
      return &other;
  return nullptr;
}

void judge_time(Measurement& measurement, const std::vector<Measurement>& all) {
  const bool is_warm = measurement.start == Start::warm;
  const Workload workload = measurement.workload;
  const double floors = measurement.cost.wall / *measurement.floor;
  if (is_single(workload) && !measurement.open_checksum) {
    at_most(measurement, floors, k_omit_floors, " x floor");
  } else if (is_single(workload)) {
    at_most(measurement, floors, is_warm ? k_warm_floors : k_cold_floors, " x floor");
    faster(measurement, is_warm ? k_warm_faster : k_cold_faster);
  } else if (workload == Workload::append100 || workload == Workload::family100) {
    if (const auto* one = find_like(all, measurement, Workload::append1, measurement.packages))
      at_most(measurement, measurement.cost.wall / one->cost.wall, k_batch_over_one, " x append1");
  } else if (workload == Workload::noop) {
    at_most(measurement, measurement.cost.wall * 1e3, k_noop_seconds * 1e3, " ms");
  } else if (workload == Workload::first) {
    faster(measurement, k_first_faster);
  }
}

void judge_one(Measurement& measurement, const std::vector<Measurement>& all) {
  if (measurement.workload == Workload::churn) {
    const bool is_gz = measurement.compression == Compression::gz;
    at_most(measurement, *measurement.growth * 100, (is_gz ? k_gz_growth : k_zstd_growth) * 100, " % larger");
    return;
  }
  if (measurement.workload == Workload::build) faster(measurement, k_build_faster);
  if (measurement.packages == k_bar_size) judge_time(measurement, all);
  const bool is_small_append = measurement.packages == k_small && measurement.workload == Workload::append1;
  if (is_small_append && measurement.start == Start::warm && measurement.open_checksum)
    at_most(measurement, measurement.cost.wall * 1e3, k_small_seconds * 1e3, " ms");
  const double peak = static_cast<double>(measurement.cost.peak_memory) / (1 << 20);
  if (measurement.packages <= k_bar_size) at_most(measurement, peak, k_peak_mib, " MiB");
  if (measurement.packages == k_largest)
    if (const auto* middle = find_like(all, measurement, measurement.workload, k_middle))
      at_most(measurement, peak * (1 << 20) / static_cast<double>(middle->cost.peak_memory), k_peak_growth,
              " x the memory at 10,000");
}

}  // namespace

void judge(std::vector<Measurement>& measurements) {
  for (auto& measurement : measurements) judge_one(measurement, measurements);
}

}  // namespace repoupdate::bench
