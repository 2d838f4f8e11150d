// SPDX-License-Identifier: Apache-2.0
// Goes through the selected sizes, compressions and workloads, and measures each in processes of their own.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "measurement.hpp"
#include "work_directory.hpp"

namespace repoupdate::bench {

struct Selection {
  std::vector<std::size_t> sizes;
  std::vector<Compression> compressions;
  std::set<Workload> workloads;
  std::size_t repetitions = 0;                // at most k_max_rounds - 1; fewer for what takes seconds
  std::size_t threads = 0;                    // for us and for createrepo_c
  std::size_t createrepo_c_at_most = 0;       // packages; 0: not measured
  std::optional<std::filesystem::path> disk;  // measure append1 there too, at k_bar_size
};

inline constexpr std::size_t k_bar_size = 70'000;       // that most promises are made for
inline constexpr std::size_t k_build_packages = 5'000;  // of Workload::build

class Runner {
public:
  using Progress = std::function<void(std::string_view)>;

  Runner(WorkDirectory work, Selection selection, Progress progress)
      : m_work(std::move(work)), m_selection(std::move(selection)), m_progress(std::move(progress)) {}

  // An Error ends it: a result that is not what it should be is no result.
  Result<std::vector<Measurement>> run();

private:
  Result<void> run_size(std::size_t packages, Compression compression);
  Result<void> run_first(std::size_t packages, Compression compression);
  Result<void> run_edit(const WorkDirectory& work, Measurement wanted);
  Result<void> run_churn(std::size_t packages, Compression compression);
  Result<void> run_build(Compression compression);
  Result<void> run_disk(Compression compression);
  Result<void> add_createrepo_c(Measurement& measurement);
  Result<Measurement> measure(const WorkDirectory& work, Measurement wanted, const std::vector<Round>& rounds) const;
  Result<double> floor(const std::filesystem::path& repository, std::size_t times) const;
  Result<void> finish(const WorkDirectory& work, const std::filesystem::path& repository, Measurement measurement,
                      std::size_t packages);
  Measurement wanted(Workload workload, std::size_t packages, Compression compression, Start start) const;
  bool is_selected(Workload workload, std::size_t packages) const;
  std::size_t repetitions(std::size_t packages) const;

  WorkDirectory m_work;
  Selection m_selection;
  Progress m_progress;
  std::vector<Measurement> m_measurements;
};

}  // namespace repoupdate::bench
