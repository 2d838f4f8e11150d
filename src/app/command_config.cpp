// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>

#include "app/command_line.hpp"
#include "app/settings_reader.hpp"

namespace repoupdate {

void declare_config(CLI::App& command, CommandLine& line) {
  CLI::App* show = command.add_subcommand("show", "print the settings in force as TOML");
  command.require_subcommand(1);
  show->fallthrough();
  declare_common(*show, line);  // known to `config` as well, but looked for here
  for (CLI::App* each : {&command, show}) {
    declare_section<DaemonSettings>(*each, line, "daemon", "Daemon");
    declare_section<RepositorySettings>(*each, line, "defaults", "Repository");
  }
  show->callback([&line] {
    line.run = [](Session& session) {
      std::cout << to_toml(session.settings);
      return ExitCode::done;
    };
  });
}

}  // namespace repoupdate
