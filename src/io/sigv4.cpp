// SPDX-License-Identifier: Apache-2.0
#include "io/sigv4.hpp"

#include <map>

#include "base/hash.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256";

// Outer blanks go, inner runs become one space.
std::string canonical_value(std::string_view value) {
  std::string text;
  bool pending_space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      pending_space = !text.empty();
      continue;
    }
    if (pending_space) text += ' ';
    pending_space = false;
    text += c;
  }
  return text;
}

struct CanonicalHeaders {
  std::string block;         // "name:value\n" for each, sorted by name
  std::string signed_names;  // "host;x-amz-date"
};

CanonicalHeaders canonical_headers(const HttpHeaders& headers) {
  std::map<std::string, std::string> sorted;
  for (const auto& [name, value] : headers) {
    const auto [entry, is_new] = sorted.emplace(name, canonical_value(value));
    if (!is_new) entry->second += ',' + canonical_value(value);
  }
  CanonicalHeaders canonical;
  for (const auto& [name, value] : sorted) {
    canonical.block.append(name).append(":").append(value).append("\n");
    if (!canonical.signed_names.empty()) canonical.signed_names += ';';
    canonical.signed_names += name;
  }
  return canonical;
}

std::string canonical_path(const HttpRequest& request, const SigningScope& scope) {
  const std::string sent = percent_encode(request.path, true);
  return scope.service == "s3" ? sent : percent_encode(sent, true);
}

std::string signing_key(const Credentials& credentials, std::string_view day, const SigningScope& scope) {
  std::string key = hmac_sha256("AWS4" + credentials.secret_access_key, day);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  return hmac_sha256(key, "aws4_request");
}

}  // namespace

void sign(HttpRequest& request, std::string_view payload_sha256, const Credentials& credentials,
          const SigningScope& scope, SystemTime now) {
  const std::string time = to_basic_iso8601(now);
  const std::string day = time.substr(0, 8);

  request.set_header("host", request.host);
  request.set_header("x-amz-date", time);
  if (scope.service == "s3") request.set_header("x-amz-content-sha256", std::string(payload_sha256));
  if (!credentials.session_token.empty()) request.set_header("x-amz-security-token", credentials.session_token);

  const CanonicalHeaders headers = canonical_headers(request.headers);
  const std::string canonical_request = request.method + '\n' + canonical_path(request, scope) + '\n' +
                                        canonical_query(request) + '\n' + headers.block + '\n' + headers.signed_names +
                                        '\n' + std::string(payload_sha256);
  const std::string credential_scope = day + '/' + scope.region + '/' + scope.service + "/aws4_request";
  const std::string string_to_sign =
      std::string(k_algorithm) + '\n' + time + '\n' + credential_scope + '\n' + sha256_hex(canonical_request);
  const std::string signature = to_hex(hmac_sha256(signing_key(credentials, day, scope), string_to_sign));
  request.set_header("authorization", std::string(k_algorithm) + " Credential=" + credentials.access_key_id + '/' +
                                          credential_scope + ", SignedHeaders=" + headers.signed_names +
                                          ", Signature=" + signature);
}

}  // namespace repoupdate
