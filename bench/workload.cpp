// SPDX-License-Identifier: Apache-2.0
#include "workload.hpp"

#include <algorithm>

#include "work_directory.hpp"

namespace repoupdate::bench {
namespace {

constexpr std::size_t k_stride = 37;  // from round to round, so that neighbours do not follow each other

std::string pick(const Json& pool, std::string_view list, std::size_t number) {
  return pool.at(std::string(list)).at(number * k_stride % k_batch).get<std::string>();
}

std::vector<std::string> batch(const Json& pool, std::string_view list, std::size_t number) {
  const auto first = pool.at(std::string(list)).begin() + static_cast<std::ptrdiff_t>(number * k_batch);
  return {first, first + static_cast<std::ptrdiff_t>(k_batch)};
}

}  // namespace

std::optional<Workload> parse_workload(std::string_view name) {
  const auto found = std::ranges::find(k_workloads, name, &WorkloadInfo::name);
  if (found == k_workloads.end()) return std::nullopt;
  return found->workload;
}

Round make_round(Workload workload, const Json& pool, std::size_t number, std::size_t packages) {
  // The last of the pool was added by `first`, which made the repository.
  const std::string listed = pool.at(std::string(k_pool_scattered)).back().get<std::string>();
  switch (workload) {
    case Workload::append1: return {{pick(pool, k_pool_scattered, number)}, packages + 1};
    case Workload::append100: return {batch(pool, k_pool_scattered, number), packages + k_batch};
    case Workload::family100: return {batch(pool, k_pool_family, number), packages + k_batch};
    case Workload::replace1: return {{pick(pool, k_pool_listed_anew, number)}, packages};
    case Workload::erase1: return {{pick(pool, k_pool_gone, number)}, packages - 1};
    case Workload::noop: return {{listed}, packages, false};
    case Workload::first: return {{listed}, packages + 1};
    case Workload::build:
    case Workload::churn: break;
  }
  return {};
}

Json to_json(const Round& round) {
  return {{"keys", round.hrefs}, {"reconcile", false}, {"packages", round.packages}, {"publishes", round.publishes}};
}

}  // namespace repoupdate::bench
