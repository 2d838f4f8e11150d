// SPDX-License-Identifier: Apache-2.0
// The grammar of the command line: what all commands share, and the table of commands.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/exit_code.hpp"
#include "app/session.hpp"
#include "app/settings_reader.hpp"

namespace CLI {
class App;
}

namespace repoupdate {

// What parsing leaves behind.
struct CommandLine {
  std::string config;
  std::vector<FlagValue> flags;
  int verbose = 0;
  bool detach = false;
  std::function<void(Settings&)> adjust;  // what the command's own options change; also after a reload
  std::function<ExitCode(Session&)> run;
};

struct Command {
  std::string_view name;
  std::string_view summary;
  std::string_view details;                               // further lines of --help
  std::string_view examples;                              // lines of --help
  void (*declare)(CLI::App& command, CommandLine& line);  // options, and what to run
};

std::span<const Command> commands();

// --config, -v, and a flag for each row of a section.
void declare_common(CLI::App& command, CommandLine& line);
template <typename S>
void declare_section(CLI::App& command, CommandLine& line, std::string_view section, std::string_view group);

// Declared by the file of each command.
void declare_init(CLI::App& command, CommandLine& line);
void declare_add(CLI::App& command, CommandLine& line);
void declare_remove(CLI::App& command, CommandLine& line);
void declare_update(CLI::App& command, CommandLine& line);
void declare_list(CLI::App& command, CommandLine& line);
void declare_verify(CLI::App& command, CommandLine& line);
void declare_quarantine(CLI::App& command, CommandLine& line);
void declare_sweep(CLI::App& command, CommandLine& line);
void declare_daemon(CLI::App& command, CommandLine& line);
void declare_config(CLI::App& command, CommandLine& line);

// The two programs of the Python tool, chosen by the name that this one is called by.
void declare_legacy_daemon(CLI::App& program, CommandLine& line);
void declare_legacy_packages(CLI::App& program, CommandLine& line);

}  // namespace repoupdate
