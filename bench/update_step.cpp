// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "base/clock.hpp"
#include "io/directory_store.hpp"
#include "io/scratch_files.hpp"
#include "steps.hpp"
#include "stopwatch.hpp"
#include "sync/update.hpp"

namespace repoupdate::bench {
namespace {

// Which files there are, and when they were written.
std::map<std::string, std::filesystem::file_time_type> snapshot(const std::filesystem::path& directory) {
  std::map<std::string, std::filesystem::file_time_type> files;
  if (!std::filesystem::exists(directory)) return files;
  for (const auto& entry : std::filesystem::directory_iterator(directory))
    files.emplace(entry.path().filename(), entry.last_write_time());
  return files;
}

UpdateRequest request_of(const Json& round) {
  UpdateRequest request;
  request.reconcile = round.at("reconcile").get<bool>();
  for (const auto& key : round.at("keys")) request.changes.keys.emplace(key.get<std::string>(), ChangeSet::Key{});
  return request;
}

Result<void> check(const Json& round, const UpdateReport& report, bool is_changed) {
  const auto wrong = [](const std::string& what) { return Error{ErrorKind::corrupt, "update(): " + what, {}}; };
  if (!report.failures.empty())
    return wrong(report.failures.front().href + ": " + report.failures.front().error.text());
  if (report.packages != round.at("packages").get<std::size_t>())
    return wrong("lists " + std::to_string(report.packages) + " packages, not " + round.at("packages").dump());
  if (report.published != round.at("publishes").get<bool>() || report.published != is_changed)
    return wrong(is_changed ? "wrote something" : "wrote nothing");
  return {};
}

Repository repository_of(const Json& plan, DirectoryStore& store, ScratchFiles& scratch, RepositoryMemory& memory) {
  Repository repository{.name = plan.at("repository").get<std::string>(),
                        .store = &store,
                        .scratch = &scratch,
                        .memory = &memory,
                        .prefix = {},
                        .policy = {},
                        .times_are_of_files = true,
                        .nested = {}};
  if (!plan.at("compression").is_null())
    repository.policy.compression = plan.at("compression") == "zstd" ? Compression::zstd : Compression::gz;
  repository.policy.create = true;
  repository.policy.open_checksum = plan.at("open_checksum").get<bool>();
  repository.policy.threads = plan.at("threads").get<std::size_t>();
  return repository;
}

}  // namespace

Result<Json> update_step(const Json& plan) {
  SystemClock clock;
  DirectoryStore store(plan.at("repository").get<std::string>());
  ScratchFiles scratch(plan.at("scratch").get<std::string>());
  RepositoryMemory memory({});
  const Repository repository = repository_of(plan, store, scratch, memory);
  const std::filesystem::path repodata = std::filesystem::path(repository.name) / "repodata";

  Json rounds = Json::array();
  for (const auto& round : plan.at("rounds")) {
    const UpdateRequest request = request_of(round);
    const auto before = snapshot(repodata);
    const Stopwatch stopwatch;
    const auto report = update(repository, request, clock, {});
    rounds.push_back({{"wall", stopwatch.wall()}, {"cpu", stopwatch.cpu()}});
    if (!report) return report.error();
    if (auto checked = check(round, *report, snapshot(repodata) != before); !checked) return std::move(checked).error();
  }
  return Json{{"rounds", std::move(rounds)}};
}

}  // namespace repoupdate::bench
