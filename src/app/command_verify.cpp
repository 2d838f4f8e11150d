// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "app/command_line.hpp"
#include "app/update_output.hpp"
#include "base/json_text.hpp"
#include "sync/verify.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::string url;
  bool packages = false;
  bool json = false;
};

void print_json(const Repository& repository, const VerifyOutcome& outcome) {
  std::cout << "{\"repository\":" << json_string(repository.name)
            << ",\"sound\":" << (outcome.problems.empty() ? "true" : "false") << ",\"packages\":" << outcome.packages
            << ",\"problems\":[";
  for (std::size_t i = 0; i < outcome.problems.size(); ++i)
    std::cout << (i ? "," : "") << "{\"key\":" << json_string(outcome.problems[i].key)
              << ",\"what\":" << json_string(outcome.problems[i].what) << '}';
  std::cout << "]}\n";
}

ExitCode run(Session& session, const Arguments& arguments) {
  const auto repository = open_repository(session, arguments.url, Directory::must_exist);
  if (!repository) return fail(repository.error());
  const auto outcome = verify(*repository, arguments.packages, session.stop);
  if (!outcome) return fail(outcome.error());
  if (arguments.json) {
    print_json(*repository, *outcome);
  } else {
    for (const auto& problem : outcome->problems) std::cout << problem.key << ' ' << problem.what << '\n';
    std::cout << repository->name << ": " << counted(outcome->packages, "package") << ", "
              << (outcome->problems.empty() ? "all is well" : counted(outcome->problems.size(), "problem")) << '\n';
  }
  return outcome->problems.empty() ? ExitCode::done : ExitCode::corrupt;
}

}  // namespace

void declare_verify(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("REPO", arguments->url, "s3://bucket/prefix, or a directory")->required()->type_name("");
  command.add_flag("--packages", arguments->packages, "compare the SHA-256 of every package too");
  command.add_flag("--json", arguments->json, "print {repository, sound, packages, problems: [{key, what}]}");
  command.callback(
      [&line, arguments] { line.run = [arguments](Session& session) { return run(session, *arguments); }; });
}

}  // namespace repoupdate
