// SPDX-License-Identifier: Apache-2.0
#include "io/sso_credentials.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/hash.hpp"
#include "io/aws_error.hpp"
#include "io/credentials_answer.hpp"
#include "io/json_text.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_timeout{std::chrono::seconds(20)};

Error login_needed(const std::string& reason) {
  return {ErrorKind::denied, "single sign-on: " + reason + ": run `aws sso login` with this profile", {}};
}

// Older versions of the AWS CLI write "2020-06-17T10:02:08UTC".
std::optional<SystemTime> parse_expiry(std::string time) {
  if (time.ends_with("UTC")) time.replace(time.size() - 3, 3, "Z");
  return parse_iso8601(time);
}

Result<Credentials> parse_answer(const std::string& body) {
  const Error malformed{ErrorKind::corrupt, "single sign-on: the answer of the portal holds no credentials", {}};
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return malformed;
  const auto role = json.find("roleCredentials");
  if (role == json.end() || !role->is_object()) return malformed;
  const auto expiration = role->find("expiration");  // milliseconds since the epoch
  if (expiration == role->end() || !expiration->is_number_integer()) return malformed;
  const SystemTime expires(
      std::chrono::floor<std::chrono::seconds>(std::chrono::milliseconds(expiration->get<std::int64_t>())));
  Credentials credentials{json_text(*role, "accessKeyId"), json_text(*role, "secretAccessKey"),
                          json_text(*role, "sessionToken"), expires};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty()) return malformed;
  return credentials;
}

}  // namespace

std::string sso_token_file(const std::string& directory, const SsoRole& role) {
  return directory + '/' + hash_hex(HashType::sha1, role.token_name) + ".json";
}

Result<std::string> read_sso_token(const std::string& path, SystemTime now) {
  const auto bytes = read_token_file(path);
  if (!bytes) return login_needed("there is no token in '" + path + "'");
  const auto json = nlohmann::json::parse(*bytes, nullptr, false);
  if (!json.is_object()) return login_needed("'" + path + "' is malformed");
  const auto expires = parse_expiry(json_text(json, "expiresAt"));
  std::string token = json_text(json, "accessToken");
  if (token.empty() || !expires) return login_needed("'" + path + "' holds no token");
  if (now >= *expires) return login_needed("the token expired at " + to_iso8601(*expires));
  return token;
}

Result<Credentials> sso_credentials(HttpClient& http, const AwsEndpoint& endpoint, const SsoRole& role,
                                    const std::string& token, std::stop_token stop) {
  HttpRequest request;
  request.scheme = endpoint.scheme;
  request.host = endpoint.host;
  request.path = endpoint.path + "/federation/credentials";
  request.query = {{"account_id", role.account_id}, {"role_name", role.name}};
  request.set_header("x-amz-sso_bearer_token", token);
  HttpExchange exchange;
  exchange.body_limit = k_max_credentials_answer;
  exchange.timeout = k_timeout;
  exchange.stop = std::move(stop);
  auto response = http.send(request, exchange);
  if (!response) return std::move(response).error().within("single sign-on");
  if (response->succeeded()) return parse_answer(response->body);
  if (response->status == 401) return login_needed("the portal does not accept the token any longer");
  response->body = without_secret(std::move(response->body), token);
  return aws_error("single sign-on, role " + role.name + " of account " + role.account_id, "sso:GetRoleCredentials",
                   *response);
}

}  // namespace repoupdate
