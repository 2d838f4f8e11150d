// SPDX-License-Identifier: Apache-2.0
#include "io/metadata_credentials.hpp"

#include <algorithm>
#include <array>

#include "io/credentials_answer.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_container_host = "http://169.254.170.2";
constexpr std::string_view k_instance_host = "http://169.254.169.254";
constexpr std::string_view k_instance_host_ipv6 = "http://[fd00:ec2::254]";
constexpr Duration k_container_timeout{std::chrono::seconds(2)};
constexpr Duration k_instance_timeout{std::chrono::seconds(1)};  // no such service off EC2: do not wait long
constexpr const char* k_instance_source = "instance metadata";
constexpr std::string_view k_role_path = "/latest/meta-data/iam/security-credentials/";

Result<HttpResponse> ask(HttpClient& http, const HttpRequest& request, Duration timeout, const std::stop_token& stop) {
  HttpExchange exchange;
  exchange.timeout = timeout;
  exchange.body_limit = k_max_credentials_answer;
  exchange.direct = true;
  exchange.stop = stop;
  return http.send(request, exchange);
}

Result<std::string> body_of(Result<HttpResponse> response, const HttpRequest& request) {
  if (!response) return std::move(response).error();
  if (response->succeeded()) return std::move(response->body);
  const int status = response->status;
  const ErrorKind kind = status == 404                    ? ErrorKind::not_found
                         : status == 429 || status >= 500 ? ErrorKind::unavailable
                                                          : ErrorKind::denied;
  return Error{kind, request.scheme + "://" + request.host + " answers " + std::to_string(status), {}};
}

Result<std::string> fetch(HttpClient& http, const HttpRequest& request, Duration timeout, const std::stop_token& stop) {
  return body_of(ask(http, request, timeout, stop), request);
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

Result<std::string> container_token(const Environment& environment) {
  const std::string path = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (path.empty()) return environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  auto token = read_token_file(path);
  if (!token) return Error{ErrorKind::denied, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read", {}};
  return *std::move(token);
}

}  // namespace

Result<std::optional<HttpRequest>> container_request(const Environment& environment) {
  const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) return std::optional<HttpRequest>();
  const char* variable =
      relative.empty() ? "AWS_CONTAINER_CREDENTIALS_FULL_URI" : "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  // Without the slash it would become a part of the host's name.
  if (!relative.empty() && !relative.starts_with('/'))
    return Error{ErrorKind::invalid, std::string(variable) + ": must begin with '/'", {}};
  auto request = parse_url(relative.empty() ? full : std::string(k_container_host) + relative);
  if (!request) return std::move(request).error().within(variable);
  if (!is_safe_host(*request))
    return Error{ErrorKind::invalid, std::string(variable) + ": must be https, or this machine's own address", {}};
  auto token = container_token(environment);
  if (!token) return token.error();
  if (!token->empty()) request->set_header("authorization", *std::move(token));
  return std::optional(*std::move(request));
}

Result<std::optional<Credentials>> container_credentials(HttpClient& http, const Environment& environment,
                                                         std::stop_token stop) {
  const auto request = container_request(environment);
  if (!request) return request.error();
  if (!*request) return std::optional<Credentials>();
  const auto body = fetch(http, **request, k_container_timeout, stop);
  if (!body) return Error(body.error()).within("container credentials");
  auto credentials = parse_credentials_json(*body, "Token", "container credentials");
  if (!credentials) return credentials.error();
  return std::optional(*std::move(credentials));
}

Result<InstanceCredentials> instance_credentials(HttpClient& http, const Environment& environment,
                                                 std::stop_token stop) {
  const auto none = [](ErrorKind kind, std::string reason) {
    return InstanceCredentials{std::nullopt, {kind, std::move(reason), {}}};
  };
  if (is_aws_true(environment("AWS_EC2_METADATA_DISABLED")))
    return none(ErrorKind::denied, "switched off by AWS_EC2_METADATA_DISABLED");
  const bool wants_ipv6 = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE") == "IPv6";
  const std::string endpoint = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  auto base = parse_url(!endpoint.empty() ? std::string_view(endpoint)
                        : wants_ipv6      ? k_instance_host_ipv6
                                          : k_instance_host);
  if (!base) return std::move(base).error().within("AWS_EC2_METADATA_SERVICE_ENDPOINT");

  HttpRequest request = *base;
  request.method = "PUT";
  request.path = "/latest/api/token";
  request.set_header("x-aws-ec2-metadata-token-ttl-seconds", "21600");
  auto answer = ask(http, request, k_instance_timeout, stop);
  const bool is_there = answer.ok();  // off EC2 nobody answers
  auto token = body_of(std::move(answer), request);
  if (token.failed_with(ErrorKind::cancelled)) return token.error();
  if (is_there && token.failed_with(ErrorKind::unavailable)) return std::move(token).error().within(k_instance_source);
  if (!token) return InstanceCredentials{std::nullopt, std::move(token).error()};

  request = *base;
  request.path = k_role_path;
  request.set_header("x-aws-ec2-metadata-token", *std::move(token));
  auto roles = fetch(http, request, k_instance_timeout, stop);
  const std::string role = roles ? roles->substr(0, roles->find_first_of("\r\n")) : std::string();
  if (roles ? role.empty() : roles.failed_with(ErrorKind::not_found))
    return none(ErrorKind::denied, "the instance has no role");
  if (!roles) return std::move(roles).error().within(k_instance_source);

  request.path = std::string(k_role_path) + role;
  const auto body = fetch(http, request, k_instance_timeout, stop);
  // A role that was there a moment ago; whatever is not found, it is no object of a store.
  if (body.failed_with(ErrorKind::not_found)) return none(ErrorKind::denied, "the instance has lost its role");
  if (!body) return Error(body.error()).within(k_instance_source);
  auto credentials = parse_credentials_json(*body, "Token", k_instance_source);
  if (!credentials) return credentials.error();
  return InstanceCredentials{*std::move(credentials), {}};
}

}  // namespace repoupdate
