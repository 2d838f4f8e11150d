// SPDX-License-Identifier: Apache-2.0
#include "io/credentials_answer.hpp"

#include <fstream>
#include <nlohmann/json.hpp>

#include "io/json_text.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {

Result<Credentials> parse_credentials_json(const std::string& body, const char* token_name, const std::string& source) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto text = [&json](const char* name) { return json_text(json, name); };
  if (!json.is_object()) return Error{ErrorKind::corrupt, source + ": the answer is not a JSON object", {}};
  if (const std::string code = text("Code"); !code.empty() && code != "Success")
    return Error{ErrorKind::unavailable, source + ": the answer is not a success", {}};
  Credentials credentials{text("AccessKeyId"), text("SecretAccessKey"), text(token_name), std::nullopt};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    return Error{ErrorKind::corrupt, source + ": the answer has no AccessKeyId or SecretAccessKey", {}};
  if (const std::string expiration = text("Expiration"); !expiration.empty()) {
    credentials.expires = parse_iso8601(expiration);
    if (!credentials.expires) return Error{ErrorKind::corrupt, source + ": the answer has a malformed Expiration", {}};
  }
  return credentials;
}

std::optional<std::string> read_token_file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return std::nullopt;
  std::string token(k_max_credentials_answer + 1, '\0');
  stream.read(token.data(), static_cast<std::streamsize>(token.size()));
  token.resize(static_cast<std::size_t>(stream.gcount()));
  while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  if (token.empty() || token.size() > k_max_credentials_answer) return std::nullopt;
  return token;
}

std::string without_secret(std::string text, std::string_view secret) {
  constexpr std::string_view k_hidden = "***";
  if (secret.empty()) return text;
  // On behind what was put there: the secret may be a part of that.
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + k_hidden.size()))
    text.replace(at, secret.size(), k_hidden);
  return text;
}

}  // namespace repoupdate
