// SPDX-License-Identifier: Apache-2.0
// Arbitrary bytes as an AWS configuration file, and as what a container, an instance or a process answers when it is
// asked for credentials.
#include <string>
#include <string_view>

#include "claim.hpp"
#include "io/aws_profile.hpp"
#include "io/credentials_answer.hpp"

namespace repoupdate {
namespace {

void check_file(std::string_view text) {
  const auto file = parse_aws_config(text, "config");
  if (!file) {
    claim(file.error().kind == ErrorKind::invalid, "a malformed file is invalid");
    return claim_message(file.error().message);
  }
  for (const auto& [section, entries] : *file)
    for (const auto& [key, value] : entries)
      claim(!key.empty() && key.find('\n') == std::string::npos && value.find('\n') == std::string::npos,
            "an entry has a name and is of one line");
}

void check_answer(const std::string& body) {
  const auto credentials = parse_credentials_json(body, "Token", "the instance");
  if (credentials) {
    claim(!credentials->access_key_id.empty() && !credentials->secret_access_key.empty(), "credentials are whole");
    return;
  }
  claim(credentials.error().kind == ErrorKind::corrupt || credentials.error().kind == ErrorKind::unavailable,
        "no credentials are corrupt or unavailable");
  claim_message(credentials.error().message);
  claim(credentials.error().message.size() < 100, "nothing of the answer is in the message");
}

void check(std::string_view input) {
  check_file(input);
  check_answer(std::string(input));
  const std::string_view secret = input.substr(0, input.size() / 4);
  if (secret.empty() || secret.find('*') != std::string_view::npos) return;
  const std::string cleaned = without_secret(std::string(input), secret);
  claim(cleaned.find(secret) == std::string::npos || secret.size() == 1, "no secret stays in a message");
}

}  // namespace
}  // namespace repoupdate

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  repoupdate::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
