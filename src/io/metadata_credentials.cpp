// SPDX-License-Identifier: Apache-2.0
#include "io/metadata_credentials.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_container_host = "http://169.254.170.2";
constexpr std::string_view k_instance_host = "http://169.254.169.254";
constexpr Duration k_container_timeout{std::chrono::seconds(2)};
constexpr Duration k_instance_timeout{std::chrono::seconds(1)};  // no such service off EC2: do not wait long
constexpr std::uint64_t k_max_answer = 64 << 10;
constexpr std::string_view k_role_path = "/latest/meta-data/iam/security-credentials/";

Result<std::string> fetch(HttpClient& http, const HttpRequest& request, Duration timeout) {
  HttpExchange exchange;
  exchange.timeout = timeout;
  exchange.body_limit = k_max_answer;
  exchange.direct = true;
  auto response = http.send(request, exchange);
  if (!response) return response.error();
  if (response->succeeded()) return std::move(response->body);
  const int status = response->status;
  const ErrorKind kind = status == 404                    ? ErrorKind::not_found
                         : status == 429 || status >= 500 ? ErrorKind::unavailable
                                                          : ErrorKind::denied;
  return Error{kind, request.scheme + "://" + request.host + " answers " + std::to_string(status), {}};
}

Result<std::optional<Credentials>> parse_credentials(const std::string& body, const std::string& source) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const auto text = [&json](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) return Error{ErrorKind::corrupt, source + ": the answer is not a JSON object", {}};
  if (const std::string code = text("Code"); !code.empty() && code != "Success")
    return Error{ErrorKind::unavailable, source + ": the answer is not a success", {}};
  Credentials credentials{text("AccessKeyId"), text("SecretAccessKey"), text("Token"), std::nullopt};
  if (credentials.access_key_id.empty() || credentials.secret_access_key.empty())
    return Error{ErrorKind::corrupt, source + ": the answer has no AccessKeyId or SecretAccessKey", {}};
  if (const std::string expiration = text("Expiration"); !expiration.empty()) {
    credentials.expires = parse_iso8601(expiration);
    if (!credentials.expires) return Error{ErrorKind::corrupt, source + ": the answer has a malformed Expiration", {}};
  }
  return std::optional(std::move(credentials));
}

// Plain http may only go where nobody else listens: this machine and the addresses of ECS and EKS.
bool is_safe_host(const HttpRequest& request) {
  constexpr std::array<std::string_view, 5> k_hosts = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                                       "[fd00:ec2::23]"};
  const std::string& host = request.host;
  const std::size_t port = host.find(':', host.starts_with('[') ? std::min(host.find(']'), host.size()) : 0);
  const std::string_view name = std::string_view(host).substr(0, port);
  const bool is_loopback = name.starts_with("127.") && name.find_first_not_of("0123456789.") == std::string_view::npos;
  return request.scheme == "https" || is_loopback || std::find(k_hosts.begin(), k_hosts.end(), name) != k_hosts.end();
}

// The token's file changes during the life of a container, so it is read for each fetch.
Result<std::string> container_token(const Environment& environment) {
  const std::string path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  std::string token = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!path.empty()) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return Error{ErrorKind::denied, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read", {}};
    token.assign(k_max_answer, '\0');
    stream.read(token.data(), static_cast<std::streamsize>(token.size()));
    token.resize(static_cast<std::size_t>(stream.gcount()));
    while (token.ends_with('\n') || token.ends_with('\r')) token.pop_back();
  }
  return token;
}

}  // namespace

Result<std::optional<Credentials>> container_credentials(HttpClient& http, const Environment& environment) {
  const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return std::optional<Credentials>();
  const char* variable =
      relative.empty() ? "AWS_CONTAINER_CREDENTIALS_FULL_URI" : "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  auto request = parse_url(relative.empty() ? full : std::string(k_container_host) + relative);
  if (!request) return std::move(request).error().within(variable);
  if (!is_safe_host(*request))
    return Error{ErrorKind::invalid, std::string(variable) + ": must be https, or this machine's own address", {}};
  auto token = container_token(environment);
  if (!token) return token.error();
  if (!token->empty()) request->set_header("authorization", *std::move(token));
  auto body = fetch(http, *request, k_container_timeout);
  if (!body) return std::move(body).error().within("container credentials");
  return parse_credentials(*body, "container credentials");
}

Result<std::optional<Credentials>> instance_credentials(HttpClient& http, const Environment& environment) {
  if (environment("AWS_EC2_METADATA_DISABLED") == "true") return std::optional<Credentials>();
  const std::string endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  auto base = parse_url(endpoint.empty() ? std::string(k_instance_host) : endpoint);
  if (!base) return std::move(base).error().within("AWS_EC2_METADATA_SERVICE_ENDPOINT");

  HttpRequest request = *base;
  request.method = "PUT";
  request.path = "/latest/api/token";
  request.set_header("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  auto token = fetch(http, request, k_instance_timeout);
  if (!token) return token.error();

  request = *base;
  request.path = k_role_path;
  request.set_header("x-aws-ec2-metadata-token", *std::move(token));
  auto roles = fetch(http, request, k_instance_timeout);
  if (!roles) return roles.error();
  const std::string role = roles->substr(0, roles->find_first_of("\r\n"));
  if (role.empty()) return Error{ErrorKind::not_found, "the instance has no role", {}};

  request.path = std::string(k_role_path) + role;
  auto body = fetch(http, request, k_instance_timeout);
  if (!body) return body.error();
  return parse_credentials(*body, "instance metadata");
}

}  // namespace repoupdate
