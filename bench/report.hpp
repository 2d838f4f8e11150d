// SPDX-License-Identifier: Apache-2.0
// The results as a table for people, in Markdown, and as JSON for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json.hpp"
#include "measurement.hpp"

namespace repoupdate::bench {

// Where and how it was measured.
struct Circumstances {
  std::string command;
  std::string processor;
  std::size_t cores = 0;
  std::size_t threads = 0;
  double load = 0;  // of the machine over the last minute, before the first measurement
  std::string kernel;
  std::string work_directory;
  std::string file_system;
  std::optional<std::string> createrepo_c;  // version
  double seconds = 0;                       // that all of it took
};

Circumstances describe_machine();

std::string to_markdown(const Circumstances& circumstances, const std::vector<Measurement>& measurements);
Json to_json(const Circumstances& circumstances, const std::vector<Measurement>& measurements);

}  // namespace repoupdate::bench
