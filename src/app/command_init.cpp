// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "sync/update.hpp"

namespace repoupdate {
namespace {

ExitCode run(Session& session, const std::string& url) {
  const auto repository = open_repository(session, url, Directory::make);
  if (!repository) return fail(repository.error());
  const auto created = create_repository(*repository, session.clock);
  if (!created) return fail(created.error());
  warn_of_repairs(*created);
  std::cout << repository->name << ": revision " << created->revision << ", an empty repository\n";
  return ExitCode::done;
}

}  // namespace

void declare_init(CLI::App& command, CommandLine& line) {
  const auto url = std::make_shared<std::string>();
  command.add_option("REPO", *url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  declare_section<RepositorySettings>(command, line, "defaults", "Repository");
  command.callback([&line, url] { line.run = [url](Session& session) { return run(session, *url); }; });
}

}  // namespace repoupdate
