// SPDX-License-Identifier: Apache-2.0
#include <fnmatch.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <mutex>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "base/parallel.hpp"
#include "model/location_href.hpp"
#include "sync/package_key.hpp"
#include "sync/repository_state.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

// More packages than this are removed only after a yes.
constexpr std::size_t k_without_asking = 10;

struct Arguments {
  std::string url;
  std::vector<std::string> patterns;
  bool keep_object = false;
  bool yes = false;
  bool json = false;
};

bool matches(const std::string& pattern, const IndexEntry& entry) {
  const std::string href(key_of_href(entry.location_href));
  const std::string base(basename_of(href));
  const Nevra& n = entry.nevra;
  const std::string rest = n.version + '-' + n.release + '.' + n.arch;
  const std::string nvra = n.name + '-' + rest, nevra = n.name + '-' + n.epoch + ':' + rest;
  for (const std::string* text : {&href, &base, &nvra, &nevra})
    if (*text == pattern || fnmatch(pattern.c_str(), text->c_str(), 0) == 0) return true;
  return false;
}

struct Selection {
  std::set<std::string> hrefs;
  std::set<std::string> objects;  // those of them that are objects of this repository
};

Result<Selection> select(const Repository& repository, const std::vector<ListedPackage>& listed,
                         const std::vector<std::string>& patterns) {
  Selection selection;
  for (const auto& pattern : patterns) {
    bool found = false;
    for (const auto& [position, entry] : listed) {
      if (!matches(pattern, entry)) continue;
      found = true;
      const std::string href(key_of_href(entry.location_href));
      selection.hrefs.insert(href);
      if (entry.location_base.empty() && repository.owns(href)) selection.objects.insert(href);
    }
    if (!found)
      return Error{
          ErrorKind::not_found, repository.name + ": no package matches '" + pattern + "'; nothing was removed", {}};
  }
  return selection;
}

Result<void> confirm(const Selection& selection, bool yes) {
  if (yes || selection.hrefs.size() <= k_without_asking) return {};
  const std::string what = "this removes " + std::to_string(selection.hrefs.size()) + " packages";
  if (isatty(STDIN_FILENO) != 1)
    return Error{ErrorKind::invalid, what + "; say --yes to do it, nothing was removed", {}};
  std::cerr << what << ". Go on? [y/N] ";
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return {};
  return Error{ErrorKind::cancelled, "nothing was removed", {}};
}

// The entries are gone from the metadata; an object that stays behind is only reported.
void delete_objects(const Repository& repository, const std::set<std::string>& hrefs, UpdateReport& report) {
  const std::vector<std::string> keys(hrefs.begin(), hrefs.end());
  std::mutex mutex;
  for_each_parallel(keys.size(), repository.policy.requests, [&](std::size_t i) {
    auto removed = repository.store->remove(repository.prefix + keys[i]);
    if (removed) return;
    const std::scoped_lock lock(mutex);
    report.failures.push_back(
        {keys[i], std::move(removed.error()).within("not listed any more, but the object is still there")});
  });
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist);
  if (!repository) return fail(repository.error());
  auto state = load_state(*repository);
  if (!state) return fail(state.error());
  if (!state->pointer) return fail(no_repository(*repository));
  const auto listed = list_all(*repository, *state);
  if (!listed) return fail(listed.error());
  auto selection = select(*repository, *listed, arguments.patterns);
  if (!selection) return fail(selection.error());
  if (const auto agreed = confirm(*selection, arguments.yes); !agreed) return fail(agreed.error());

  UpdateRequest request;
  request.changes.removals = selection->hrefs;
  auto report = update(*repository, request, session.clock, session.stop);
  if (!report) return fail(report.error());
  if (!arguments.keep_object) delete_objects(*repository, selection->objects, *report);
  return print_report(*repository, *report, false, arguments.json);
}

}  // namespace

void declare_remove(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_option("PACKAGE", arguments->patterns, "file name, NEVRA, or a glob of either")
      ->required()
      ->type_name("");
  command.add_flag("--keep-object", arguments->keep_object,
                   "drop it from the metadata only; an update or a reconciling daemon would list it again");
  command.add_flag("--yes,-y", arguments->yes, "do not ask when more than 10 packages match");
  command.add_flag("--json", arguments->json, "print the outcome as one JSON object");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
