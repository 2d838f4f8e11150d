// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/background.hpp"
#include "app/command_line.hpp"
#include "app/signals.hpp"
#include "base/heap.hpp"
#include "base/version.hpp"
#include "io/posix_file.hpp"

namespace {

using namespace repoupdate;

std::string read_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? value : "";
}

std::vector<std::string> variable_names() {
  std::vector<std::string> names;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text = *entry;
    names.emplace_back(text.substr(0, text.find('=')));
  }
  return names;
}

std::string exit_code_text() {
  std::string text = "Exit codes:\n";
  for (const auto& row : k_exit_codes)
    text += "  " + std::to_string(static_cast<int>(row.code)) + "\t" + std::string(row.text) + '\n';
  return text;
}

// CLI11 says that a command is missing, also where a word stands that is none.
std::string failure_text(const std::string& program, const CLI::App* app, const CLI::Error& failure) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  const auto rest = app->remaining();
  const bool is_unknown = app->get_require_subcommand_min() > 0 && !rest.empty() && !rest.front().starts_with('-');
  if (!is_unknown) return program + ": " + CLI::FailureMessage::simple(app, failure);
  return program + ": there is no command '" + rest.front() + "'\nRun with --help for more information.\n";
}

void declare_commands(CLI::App& program, CommandLine& line) {
  program.description("Keeps RPM (YUM/DNF) repositories on S3, or in a directory, up to date.");
  program.require_subcommand(1);
  program.set_version_flag("--version", "repoupdate " + std::string(k_version));
  program.footer("REPO is s3://bucket/prefix, a directory, or file:///directory.\n\n" + exit_code_text() +
                 "\n`repoupdate COMMAND --help` says more and has examples.");
  for (const auto& row : commands()) {
    CLI::App* command = program.add_subcommand(std::string(row.name), std::string(row.summary));
    std::string footer = "Examples:\n" + std::string(row.examples);
    if (!row.details.empty()) footer = std::string(row.details) + "\n\n" + footer;
    command->footer(footer);
    declare_common(*command, line);
    row.declare(*command, line);
  }
}

Result<Settings> load_settings(const CommandLine& line) {
  auto settings = read_settings({line.config, read_variable, line.flags});
  if (!settings) return settings;
  if (line.verbose > 0) settings->log.level = "debug";
  if (line.adjust) line.adjust(*settings);
  return settings;
}

ExitCode run(CommandLine& line) {
  // A file that is there now and gone later, when settings are read again, is no wish to have none.
  if (std::error_code failure; line.config.empty() && std::filesystem::exists(k_default_config, failure))
    line.config = k_default_config;
  auto settings = load_settings(line);
  if (!settings) return fail(settings.error());
  Background background;
  if (line.detach) {
    if (settings->log.file.empty())
      std::cerr << "repoupdate: warning: log.file is not set: what a daemon logs in the background goes nowhere\n";
    const auto ended = background.enter();
    if (!ended) return fail(ended.error());
    if (*ended) return **ended;
  }

  std::stop_source abandon;  // outlives the watcher of signals, which may use it to the last moment
  Signals signals;
  SystemClock clock;
  Log log;
  MetricTable metrics;
  if (const auto opened = log.open(log_options(settings->log)); !opened) return fail(opened.error());
  for (const auto& name : unknown_variables(variable_names()))
    log.warning("environment variable is no setting, ignored", {{"variable", name}});
  signals.on_impatience([&abandon] { abandon.request_stop(); });
  Session session{.settings = std::move(*settings),
                  .reload = [&line] { return load_settings(line); },
                  .clock = clock,
                  .log = log,
                  .metrics = metrics,
                  .stores = nullptr,
                  .scratch = nullptr,
                  .stop = signals.stop(),
                  .impatience = abandon.get_token(),
                  .hangup = [&signals] { return signals.next_hangup(); },
                  .on_ready = [&background] { background.ready(); }};
  renew_stores(session);
  return line.run(session);
}

ExitCode parse_and_run(int argc, char** argv) {
  const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "";
  CLI::App program;
  CommandLine line;
  if (name == "repoupdate-daemon") {
    declare_legacy_daemon(program, line);
  } else if (name == "updatePackages") {
    declare_legacy_packages(program, line);
  } else {
    declare_commands(program, line);
  }
  const bool is_legacy = name == "repoupdate-daemon" || name == "updatePackages";
  program.failure_message([name = is_legacy ? name : "repoupdate"](const CLI::App* app, const CLI::Error& failure) {
    return failure_text(name, app, failure);
  });
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& failure) {
    return program.exit(failure) == 0 ? ExitCode::done : ExitCode::usage;
  }
  return run(line);
}

// Whoever keeps the result in a file must not take a part of it for the whole. A reader that has gone wants no more of
// it, as head(1) does: nobody has to be told, but it is no success either.
ExitCode after_writing(ExitCode code) {
  if (std::cout.flush()) return code;
  const int failure = ::write(STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO;  // the stream has forgotten it: ask again
  const Error error = errno_error(failure, "cannot write the result");
  const ExitCode unwritten = failure == EPIPE ? exit_code(error.kind) : fail(error);
  return code == ExitCode::done ? unwritten : code;
}

}  // namespace

int main(int argc, char** argv) {
  return_memory_at_once();
  return static_cast<int>(after_writing(parse_and_run(argc, argv)));
}
