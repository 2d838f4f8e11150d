// SPDX-License-Identifier: Apache-2.0
// THE table of exit codes: what scripts and unit files may rely on. docs/commands.md and the manual show it.
#pragma once

#include <array>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

enum class ExitCode {
  done = 0,
  partly = 1,       // some packages failed, everything else was published
  usage = 2,        // wrong arguments or configuration
  not_found = 3,    // no such repository, bucket, package or file
  denied = 4,       // credentials or permissions
  unreachable = 5,  // the store or the queue cannot be reached, or is overloaded
  conflict = 6,     // somebody else was there: a repository exists already, or others kept publishing
  corrupt = 7,      // metadata or a package is not what its checksum says; `verify` found problems
  no_space = 8,
  local = 9,         // any other failure of this machine
  unconfirmed = 10,  // too many packages would be dropped: say --allow-shrink if that is right
  stopped = 130,     // interrupted
};

struct ExitCodeText {
  ExitCode code;
  std::string_view text;
};
inline constexpr std::array<ExitCodeText, 12> k_exit_codes{{
    {ExitCode::done, "done"},
    {ExitCode::partly, "some packages failed, everything else was published"},
    {ExitCode::usage, "wrong arguments or configuration"},
    {ExitCode::not_found, "no such repository, bucket, package or file"},
    {ExitCode::denied, "access denied: credentials, permissions, read-only directory"},
    {ExitCode::unreachable, "the store or the queue cannot be reached, or is overloaded"},
    {ExitCode::conflict, "the repository exists already, or others kept publishing"},
    {ExitCode::corrupt, "metadata or a package is corrupt; 'verify' found problems"},
    {ExitCode::no_space, "no space left"},
    {ExitCode::local, "another failure of the local system"},
    {ExitCode::unconfirmed, "refused: more packages would be dropped than shrink_limit allows"},
    {ExitCode::stopped, "interrupted"},
}};

ExitCode exit_code(ErrorKind kind);

}  // namespace repoupdate
