// SPDX-License-Identifier: Apache-2.0
// What is measured: the kinds of work, and of which packages one round of it consists.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json.hpp"

namespace repoupdate::bench {

enum class Workload { append1, append100, family100, replace1, erase1, noop, first, build, churn };

struct WorkloadInfo {
  Workload workload;
  std::string_view name;
  std::string_view text;
};

inline constexpr auto k_workloads = std::to_array<WorkloadInfo>({
    {Workload::append1, "append1", "one package is added"},
    {Workload::append100, "append100", "100 packages are added, all over the alphabet"},
    {Workload::family100, "family100", "100 packages are added that stand side by side"},
    {Workload::replace1, "replace1", "one package has other bytes"},
    {Workload::erase1, "erase1", "one package is gone"},
    {Workload::noop, "noop", "the event of a package that is listed already"},
    {Workload::first, "first", "append1 where another tool wrote the metadata, each file one stream"},
    {Workload::build, "build", "5,000 small packages without metadata"},
    {Workload::churn, "churn", "random edits, one after the other: how the stored size grows"},
});

constexpr const WorkloadInfo& info(Workload workload) {
  return k_workloads[static_cast<std::size_t>(workload)];
}
std::optional<Workload> parse_workload(std::string_view name);

// Works on a repository that repoupdate wrote, again and again.
constexpr bool is_edit(Workload workload) {
  return workload < Workload::first;
}

// One update: what its events name, and how many packages are listed after it.
struct Round {
  std::vector<std::string> hrefs;
  std::size_t packages = 0;
  bool publishes = true;
};

inline constexpr std::size_t k_max_rounds = 9;

// Round `number` (less than k_max_rounds, each with other packages) of an edit or of `first`, with the packages of the
// pool, on a repository that lists `packages`.
Round make_round(Workload workload, const Json& pool, std::size_t number, std::size_t packages);

// As update_step() wants it.
Json to_json(const Round& round);

}  // namespace repoupdate::bench
