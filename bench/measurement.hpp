// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "repodata/compression.hpp"
#include "workload.hpp"

namespace repoupdate::bench {

// A promise about one measurement.
struct Bar {
  std::string what;  // "at most 1.5 x floor"
  bool is_met = false;
};

// What another program, or one repetition, took.
struct Cost {
  double wall = 0;  // seconds
  double cpu = 0;
  std::uint64_t peak_memory = 0;  // bytes
};

enum class Start { warm, cold };

struct Measurement {
  Workload workload = Workload::append1;
  std::size_t packages = 0;  // before it
  Compression compression = Compression::gz;
  Start start = Start::warm;
  bool open_checksum = true;
  std::string file_system;

  std::size_t repetitions = 0;
  Cost cost;                           // median; wall and CPU from the call of update() to its return
  std::optional<double> process_wall;  // cold: of the whole process
  std::optional<double> floor;         // seconds of SHA-256 over the same bytes
  std::optional<Cost> createrepo_c;    // on the same work, with gz
  std::optional<double> growth;        // churn: stored size over that of compressing at once, less 1
  std::vector<Bar> bars;
};

// Than createrepo_c, which must have been measured: process against process where ours was started for the work.
inline double times_faster(const Measurement& measurement) {
  return measurement.createrepo_c->wall / measurement.process_wall.value_or(measurement.cost.wall);
}

}  // namespace repoupdate::bench
