// SPDX-License-Identifier: Apache-2.0
#include "io/sts_credentials.hpp"

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <pugixml.hpp>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "io/aws_error.hpp"
#include "io/clock_skew.hpp"
#include "io/credentials_answer.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr Duration k_timeout{std::chrono::seconds(20)};
constexpr int k_min_duration = 900, k_max_duration = 43'200;  // seconds
constexpr const char* k_session_name = "repoupdate";

using Form = std::vector<std::pair<std::string, std::string>>;

std::string encoded(const Form& form) {
  std::string text;
  for (const auto& [name, value] : form) {
    if (value.empty()) continue;
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(percent_encode(value, false));
  }
  return text;
}

Result<void> check_duration(const AssumedRole& role) {
  if (role.duration.empty()) return {};
  int seconds = 0;
  const char* end = role.duration.data() + role.duration.size();
  const auto [stopped, failure] = std::from_chars(role.duration.data(), end, seconds);
  if (failure == std::errc() && stopped == end && seconds >= k_min_duration && seconds <= k_max_duration) return {};
  return Error{ErrorKind::invalid, "duration_seconds: expected a number from 900 to 43200", {}};
}

Form role_form(const std::string& action, const AssumedRole& role) {
  return {{"Action", action},
          {"Version", "2011-06-15"},
          {"RoleArn", role.arn},
          {"RoleSessionName", role.session_name.empty() ? k_session_name : role.session_name},
          {"DurationSeconds", role.duration}};
}

HttpRequest request_to(const StsService& sts) {
  HttpRequest request;
  request.method = "POST";
  request.scheme = sts.endpoint.scheme;
  request.host = sts.endpoint.host;
  request.path = sts.endpoint.path + '/';
  request.set_header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  return request;
}

Error refusal(const AssumedRole& role, const std::string& action, HttpResponse response,
              std::initializer_list<std::string_view> secrets) {
  // In the answer, not in the message, which is cut to a length that may leave half of a secret.
  for (const std::string_view secret : secrets) response.body = without_secret(std::move(response.body), secret);
  Error error = aws_error("role " + role.arn, "sts:" + action, response);
  // The service could not reach the one that issued the token: that passes.
  if (parse_aws_error(response).code == "IDPCommunicationError") error.kind = ErrorKind::unavailable;
  return error;
}

Result<Credentials> parse_answer(const AssumedRole& role, const std::string& action, const HttpResponse& response) {
  pugi::xml_document document;
  const bool is_xml = static_cast<bool>(document.load_buffer(response.body.data(), response.body.size()));
  const pugi::xml_node node =
      document.child((action + "Response").c_str()).child((action + "Result").c_str()).child("Credentials");
  Credentials credentials{node.child_value("AccessKeyId"), node.child_value("SecretAccessKey"),
                          node.child_value("SessionToken"), parse_iso8601(node.child_value("Expiration"))};
  if (!is_xml || credentials.access_key_id.empty() || credentials.secret_access_key.empty() ||
      credentials.session_token.empty() || !credentials.expires)
    return Error{ErrorKind::corrupt, "role " + role.arn + ": the answer of STS holds no credentials", {}};
  return credentials;
}

HttpExchange exchange_of(const std::string& body, const std::stop_token& stop) {
  HttpExchange exchange;
  exchange.body = body;
  exchange.body_limit = k_max_credentials_answer;
  exchange.timeout = k_timeout;
  exchange.stop = stop;
  return exchange;
}

}  // namespace

Result<Credentials> assume_role(const StsService& sts, const AssumedRole& role, const Credentials& source) {
  const std::string action = "AssumeRole";
  if (auto checked = check_duration(role); !checked) return checked.error();
  Form form = role_form(action, role);
  form.emplace_back("ExternalId", role.external_id);
  const std::string body = encoded(form);
  std::chrono::seconds offset{0};
  for (bool may_correct_clock = true;; may_correct_clock = false) {
    HttpRequest request = request_to(sts);
    sign(request, sha256_hex(body), source, {sts.region, "sts"}, sts.clock.now() + offset);
    auto response = sts.http.send(request, exchange_of(body, sts.stop));
    if (!response) return std::move(response).error().within("role " + role.arn);
    if (response->succeeded()) return parse_answer(role, action, *response);
    const auto corrected = corrected_offset(*response, sts.clock.now(), offset);
    Error error = refusal(role, action, *std::move(response), {source.secret_access_key, source.session_token});
    if (error.kind != ErrorKind::denied || !corrected || !may_correct_clock) return error;
    offset = *corrected;
  }
}

Result<Credentials> assume_role_with_web_identity(const StsService& sts, const AssumedRole& role,
                                                  const std::string& token) {
  const std::string action = "AssumeRoleWithWebIdentity";
  if (auto checked = check_duration(role); !checked) return checked.error();
  Form form = role_form(action, role);
  form.emplace_back("WebIdentityToken", token);
  const std::string body = encoded(form);
  auto response = sts.http.send(request_to(sts), exchange_of(body, sts.stop));
  if (!response) return std::move(response).error().within("role " + role.arn);
  if (response->succeeded()) return parse_answer(role, action, *response);
  return refusal(role, action, *std::move(response), {token});
}

}  // namespace repoupdate
