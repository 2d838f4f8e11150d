// SPDX-License-Identifier: Apache-2.0
// What a one-shot command says about an update: for people, or as JSON.
#pragma once

#include <string>

#include "app/exit_code.hpp"
#include "sync/update.hpp"

namespace repoupdate {

// stopped when a package was left because of a stop; partly when one failed otherwise, or stands in quarantine.
ExitCode exit_code(const UpdateReport& report);

// Failures and notes go to standard error, the summary (or the JSON) to standard output. Gives its exit code.
ExitCode print_report(const Repository& repository, const UpdateReport& report, bool dry_run, bool json);

// The metadata files that were damaged, a line each on standard error.
void warn_of_repairs(const UpdateReport& report);

// "1 package", "2 packages".
std::string counted(std::size_t number, const std::string& noun);

}  // namespace repoupdate
