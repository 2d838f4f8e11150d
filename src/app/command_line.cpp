// SPDX-License-Identifier: Apache-2.0
#include "app/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>

namespace repoupdate {
namespace {

constexpr std::array<Command, 10> k_commands{{
    {"init", "write an empty repository", "Refuses to touch one that is there.",
     "  repoupdate init s3://packages/el9/x86_64\n"
     "  repoupdate init --compression zstd /srv/repo\n",
     declare_init},
    {"add", "upload packages and publish the metadata",
     "FILE is an RPM package, or a directory whose *.rpm are meant. What is in the repository already with "
     "the\n"
     "same bytes is not uploaded again.",
     "  repoupdate add s3://packages/el9/x86_64 build/*.rpm\n"
     "  repoupdate add --upload-only s3://packages/el9/x86_64 rpms/   # the daemon publishes\n",
     declare_add},
    {"remove", "drop packages from the metadata, then delete them",
     "PACKAGE is a file name, a NEVRA (bash-5.2-1.x86_64), or a glob of either (quote it).",
     "  repoupdate remove s3://packages/el9/x86_64 hello-1.0-1.x86_64.rpm\n"
     "  repoupdate remove --keep-object /srv/repo 'kernel-*-5.14.0-70.*'\n",
     declare_remove},
    {"update", "compare what is there with the metadata, and publish the difference",
     "Lists the store, looks at what differs, and adds, replaces and drops. With KEY, looks at those alone: the\n"
     "quickest way to publish what another tool has uploaded or deleted.",
     "  repoupdate update s3://packages/el9/x86_64\n"
     "  repoupdate update s3://packages/el9/x86_64 hello-1.0-1.x86_64.rpm\n"
     "  repoupdate update --dry-run /srv/repo\n"
     "  repoupdate update --rebuild /srv/repo   # when the metadata are damaged\n",
     declare_update},
    {"list", "print the packages, one NEVRA a line", "",
     "  repoupdate list s3://packages/el9/x86_64\n"
     "  repoupdate list --json /srv/repo | jq -r '.[].location_href'\n",
     declare_list},
    {"verify", "check the metadata against themselves and against the packages",
     "Checksums, sizes, counts and pkgids of the metadata; presence and size of every package. Exits with 7 "
     "when\n"
     "something is wrong.",
     "  repoupdate verify s3://packages/el9/x86_64\n"
     "  repoupdate verify --packages /srv/repo   # read every package and compare its SHA-256\n"
     "  repoupdate verify --remove-uploads s3://packages/el9/x86_64   # leftovers of crashed uploads\n",
     declare_verify},
    {"quarantine", "show packages that cannot be listed; try them again, or get rid of them",
     "Packages that are corrupt, that the rules of the repository refuse, or that failed again and again.",
     "  repoupdate quarantine list s3://packages/el9/x86_64\n"
     "  repoupdate quarantine retry s3://packages/el9/x86_64   # all, or the KEYs that are named\n"
     "  repoupdate quarantine drop s3://packages/el9/x86_64 'broken-*.rpm'\n",
     declare_quarantine},
    {"sweep", "remove superseded metadata after their grace period",
     "Of what lies below repodata/ and is named by nobody any more, removes what was superseded more than\n"
     "sweep_grace ago, but for the newest sweep_generations; never a file that is not known. The daemon does this\n"
     "by itself.",
     "  repoupdate sweep --dry-run s3://packages/el9/x86_64\n"
     "  repoupdate sweep --sweep-grace 7d /srv/repo\n",
     declare_sweep},
    {"daemon", "keep repositories up to date as packages come and go",
     "Takes events from SQS queues, from stores that push them to its webhook, and from watched directories, or\n"
     "polls. Repositories and queues stand in the configuration file, or on the command line.",
     "  repoupdate daemon --config /etc/repoupdate/repoupdate.toml\n"
     "  repoupdate daemon --repository s3://packages/el9/x86_64 --queue package-events\n"
     "  repoupdate daemon --repository s3://packages/el9/x86_64 --webhook 10.0.0.5:8042 --metrics 127.0.0.1:9187\n"
     "  repoupdate daemon --repository /srv/repo --create\n",
     declare_daemon},
    {"config", "show the settings as they are in force",
     "Prints a TOML file with every key, its value and what it means.",
     "  repoupdate config show\n"
     "  repoupdate config show --config ./repoupdate.toml\n",
     declare_config},
}};

}  // namespace

std::span<const Command> commands() {
  return k_commands;
}

namespace {

template <typename S>
std::string_view value_name(const Setting<S>& setting) {
  if (!setting.choices.empty()) return setting.choices;
  if (std::holds_alternative<Duration S::*>(setting.field)) return "DURATION";
  if (std::holds_alternative<std::uint64_t S::*>(setting.field)) return "N";
  return "TEXT";
}

// With the settings of a daemon.
bool serves(std::string_view command) {
  return command == "daemon" || command == "config" || command == "show";
}

// Whether a repository's setting changes what the command does: only then it is offered there. `init` always makes the
// repository, and what drops packages or looks at some again needs one that is there.
bool does_something(std::string_view key, std::string_view command) {
  if (serves(command)) return true;
  const bool is_of_signing = key.starts_with("sign_");
  const bool is_of_sweeping = key.starts_with("sweep_");
  if (command == "verify") return is_of_signing;
  if (command == "sweep") return is_of_sweeping;
  if (command == "init") return is_of_signing || key == "compression" || key == "open_checksum" || key == "lease";
  const bool needs_repository = command == "remove" || command == "retry" || command == "drop";
  return !is_of_sweeping && !(needs_repository && key == "create");
}

}  // namespace

template <typename S>
void declare_section(CLI::App& command, CommandLine& line, std::string_view section, std::string_view group) {
  for (const auto& setting : settings_of<S>()) {
    if (setting.flag == Flag::nowhere || (setting.flag == Flag::daemon && !serves(command.get_name()))) continue;
    if (section == "defaults" && !does_something(setting.key, command.get_name())) continue;
    std::string flag = (section == "log" ? "--log-" : "--") + std::string(setting.key);
    std::replace(flag.begin(), flag.end(), '_', '-');
    std::string text(setting.text);
    std::string value = show(S{}, setting);
    std::erase(value, '"');
    if (!value.empty() && value != "false") text += " [" + value + "]";
    const auto take = [&line, section = std::string(section),
                       key = std::string(setting.key)](const std::string& given) {
      line.flags.push_back({section, key, given});
    };
    CLI::Option* option = nullptr;
    if (std::holds_alternative<bool S::*>(setting.field)) {
      option = command.add_flag_callback(
          flag, [take] { take("true"); }, text);
    } else {
      option = command.add_option_function<std::string>(flag, take, text);
      option->type_name(std::string(value_name(setting)));
    }
    option->group(std::string(group));
  }
}

template void declare_section<AwsSettings>(CLI::App&, CommandLine&, std::string_view, std::string_view);
template void declare_section<LogSettings>(CLI::App&, CommandLine&, std::string_view, std::string_view);
template void declare_section<DaemonSettings>(CLI::App&, CommandLine&, std::string_view, std::string_view);
template void declare_section<RepositorySettings>(CLI::App&, CommandLine&, std::string_view, std::string_view);

void declare_common(CLI::App& command, CommandLine& line) {
  command
      .add_option(
          "--config", line.config,
          "settings file [" + std::string(k_default_config) + " if it exists]; `config show` prints all settings")
      ->type_name("FILE");
  command.add_flag("-v,--verbose", line.verbose, "log what happens in detail");
  declare_section<AwsSettings>(command, line, "aws", "Store");
  declare_section<LogSettings>(command, line, "log", "Log");
}

}  // namespace repoupdate
