// SPDX-License-Identifier: Apache-2.0
// The same work done by the installed createrepo_c, with the flags that make it fastest.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "json.hpp"
#include "measurement.hpp"
#include "work_directory.hpp"

namespace repoupdate::bench {

// "0.17.3", or nothing when it is not installed.
std::optional<std::string> createrepo_c_version();

// Which workload's work it is for createrepo_c: where packages stand, and who wrote the metadata, makes no difference.
constexpr Workload createrepo_c_task(Workload workload) {
  if (workload == Workload::first) return Workload::append1;
  if (workload == Workload::family100) return Workload::append100;
  return workload;
}

// On a foreign gz repository of that size; checks the number of packages afterwards. For Workload::build, `packages`
// of them without metadata.
Result<Cost> measure_createrepo_c(const WorkDirectory& work, Workload workload, std::size_t packages,
                                  std::size_t threads);

}  // namespace repoupdate::bench
