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

// Every invocation begins so; for the report.
inline constexpr const char* k_createrepo_c_update =
    "createrepo_c -q --no-database --general-compress-type=gz --workers=N --update --skip-stat --recycle-pkglist";

// On a foreign gz repository of that size; checks the number of packages afterwards. For Workload::build, `packages`
// of them without metadata.
Result<Cost> measure_createrepo_c(const WorkDirectory& work, Workload workload, std::size_t packages,
                                  std::size_t threads);

}  // namespace repoupdate::bench
