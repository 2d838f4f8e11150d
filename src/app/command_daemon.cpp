// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <memory>

#include "app/command_line.hpp"
#include "app/daemon.hpp"

namespace repoupdate {
namespace {

struct Arguments {
  std::vector<std::string> repositories;
  std::vector<std::string> queues;
  std::string webhook;
  std::string metrics;
};

void add_to(Settings& settings, const Arguments& arguments) {
  for (const auto& url : arguments.repositories) serve_too(settings, url);
  for (const auto& name : arguments.queues) settings.queues.push_back({name, {}});
  if (!arguments.metrics.empty()) settings.metrics.listen = arguments.metrics;
  if (!arguments.webhook.empty()) settings.webhook.listen = arguments.webhook;
}

}  // namespace

void declare_daemon(CLI::App& command, CommandLine& line) {
  const auto arguments = std::make_shared<Arguments>();
  command.add_option("--repository", arguments->repositories, "serve this repository too; may be repeated")
      ->type_name("REPO");
  command.add_option("--queue", arguments->queues, "take events from this SQS queue too; may be repeated")
      ->type_name("NAME");
  command.add_option("--webhook", arguments->webhook, "take events that a store pushes there by HTTP POST /events")
      ->type_name("HOST:PORT");
  command.add_option("--metrics", arguments->metrics, "answer /metrics, /healthz and /readyz there")
      ->type_name("HOST:PORT");
  command.add_flag("-d,--detach", line.detach, "run in the background");
  declare_section<DaemonSettings>(command, line, "daemon", "Daemon");
  declare_section<RepositorySettings>(command, line, "defaults", "Repositories");
  command.callback([&line, arguments] {
    line.adjust = [arguments](Settings& settings) { add_to(settings, *arguments); };
    line.run = [](Session& session) { return run_daemon(session, std::nullopt); };
  });
}

}  // namespace repoupdate
