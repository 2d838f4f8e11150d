// SPDX-License-Identifier: Apache-2.0
#include "io/process_credentials.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "io/child_process.hpp"
#include "io/credentials_answer.hpp"

namespace repoupdate {

Result<Credentials> process_credentials(const std::string& command, SystemTime now, std::stop_token stop,
                                        Duration time) {
  const std::string source = "credential_process";
  const auto words = split_command(command);
  if (!words || words->empty())
    return Error{ErrorKind::invalid, source + ": not a command: a quote is not closed, or it is empty", {}};
  auto output = run_child(*words, {.time = time, .output = k_max_credentials_answer, .stop = std::move(stop)});
  if (!output) {
    Error error = std::move(output).error().within(source);
    if (error.kind == ErrorKind::io || error.kind == ErrorKind::not_found) error.kind = ErrorKind::denied;
    if (error.kind != ErrorKind::cancelled) error.message += ": run it by hand to see what it says";
    return error;
  }
  const auto json = nlohmann::json::parse(*output, nullptr, false);
  const auto version = json.find("Version");
  if (version == json.end() || *version != 1)
    return Error{ErrorKind::corrupt, source + ": the output is not JSON with \"Version\": 1", {}};
  auto credentials = parse_credentials_json(*output, "SessionToken", source);
  if (credentials && credentials->expires && *credentials->expires <= now)
    return Error{ErrorKind::denied, source + ": what it gives expired at " + to_iso8601(*credentials->expires), {}};
  return credentials;
}

}  // namespace repoupdate
