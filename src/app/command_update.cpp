// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  std::vector<std::string> keys;
  bool dry_run = false;
  bool rebuild = false;
  bool reread = false;
  bool allow_shrink = false;
  bool json = false;
};

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, when_missing(session, arguments.url));
  if (!repository) return fail(repository.error());
  UpdateRequest request;
  for (const auto& key : arguments.keys) {
    const bool is_address = key.starts_with('/') || key.find("://") != std::string::npos;
    if (is_address || !repository->owns(key))
      return fail({ErrorKind::invalid,
                   "'" + key + "' is no package of " + repository->name + ": keys are paths below it that end in .rpm",
                   {}});
    request.changes.keys[key];
  }
  request.reconcile = arguments.keys.empty();
  request.rebuild = arguments.rebuild;
  request.allow_shrink = arguments.allow_shrink;
  request.dry_run = arguments.dry_run;
  request.suspicion = arguments.reread ? Suspicion::reread : Suspicion::usual;
  const auto report = update(*repository, request, session.clock, session.stop);
  if (!report) return fail(report.error());
  return print_report(*repository, *report, arguments.dry_run, arguments.json);
}

}  // namespace

void declare_update(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  auto* keys = command.add_option("KEY", arguments->keys, "look at these paths below REPO only, without listing it");
  keys->type_name("");
  command.add_flag("--dry-run", arguments->dry_run, "print the edit and change nothing");
  command.add_flag("--rebuild", arguments->rebuild, "make the metadata anew from all packages; repairs damaged ones")
      ->excludes(keys);
  command
      .add_flag("--reread", arguments->reread,
                "look at every package whose time is not the listed one, however old and of whatever size")
      ->excludes(keys);
  command.add_flag("--allow-shrink", arguments->allow_shrink,
                   "drop what is gone however much it is: confirms what shrink_limit holds back");
  command.add_flag("--json", arguments->json, "print the outcome as one JSON object");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
