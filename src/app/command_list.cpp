// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "base/json_text.hpp"
#include "rpm/version_compare.hpp"
#include "sync/repository_state.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  bool json = false;
};

bool comes_before(const IndexEntry& a, const IndexEntry& b) {
  if (a.nevra.name != b.nevra.name) return a.nevra.name < b.nevra.name;
  if (const auto order = compare_evr(a.nevra, b.nevra); order != 0) return order < 0;
  return std::tie(a.nevra.arch, a.location_href) < std::tie(b.nevra.arch, b.location_href);
}

std::string to_json(const IndexEntry& entry) {
  const Nevra& nevra = entry.nevra;
  return "{\"nevra\":" + json_string(to_string(nevra)) + ",\"name\":" + json_string(nevra.name) +
         ",\"epoch\":" + json_string(nevra.epoch) + ",\"version\":" + json_string(nevra.version) +
         ",\"release\":" + json_string(nevra.release) + ",\"arch\":" + json_string(nevra.arch) +
         ",\"location_href\":" + json_string(entry.location_href) +
         ",\"location_base\":" + json_string(entry.location_base) + ",\"pkgid\":" + json_string(entry.pkgid) +
         ",\"size\":" + std::to_string(entry.size) + ",\"time_file\":" + std::to_string(entry.time_file) + '}';
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist, Signing::none);
  if (!repository) return fail(repository.error());
  auto state = load_state(*repository);
  if (!state) return fail(state.error());
  if (!state->pointer) return fail(no_repository(*repository));
  const auto listed = list_all(*repository, *state);
  if (!listed) return fail(listed.error());
  std::vector<IndexEntry> entries;
  for (const auto& [position, entry] : *listed) entries.push_back(entry);
  std::sort(entries.begin(), entries.end(), comes_before);
  if (!arguments.json) {
    for (const auto& entry : entries) std::cout << to_string(entry.nevra) << '\n';
    return ExitCode::done;
  }
  std::cout << '[';
  for (std::size_t i = 0; i < entries.size(); ++i) std::cout << (i ? ",\n " : "") << to_json(entries[i]);
  std::cout << "]\n";
  return ExitCode::done;
}

}  // namespace

void declare_list(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_flag("--json", arguments->json,
                   "print a JSON array with name, epoch, version, release, arch, "
                   "location_href, pkgid and size of each");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
