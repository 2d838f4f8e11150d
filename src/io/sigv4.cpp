// SPDX-License-Identifier: Apache-2.0
#include "io/sigv4.hpp"

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "base/hash.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_algorithm = "AWS4-HMAC-SHA256";

// Outer blanks go, inner runs become one space.
void append_canonical_value(std::string& text, std::string_view value) {
  const std::size_t begin = text.size();
  bool pending_space = false;
  for (const char c : value) {
    if (c == ' ' || c == '\t') {
      pending_space = text.size() > begin;
      continue;
    }
    if (pending_space) text += ' ';
    pending_space = false;
    text += c;
  }
}

struct CanonicalHeaders {
  std::string block;         // "name:value\n" for each, sorted by name
  std::string signed_names;  // "host;x-amz-date"
};

CanonicalHeaders canonical_headers(const HttpHeaders& headers) {
  std::vector<const HttpHeaders::value_type*> sorted;
  sorted.reserve(headers.size());
  for (const auto& header : headers) sorted.push_back(&header);
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->first < b->first; });

  CanonicalHeaders canonical;
  std::string_view previous;
  for (const auto* header : sorted) {
    const auto& [name, value] = *header;
    if (name == previous) {
      canonical.block.back() = ',';
    } else {
      canonical.block.append(name).append(":");
      if (!canonical.signed_names.empty()) canonical.signed_names += ';';
      canonical.signed_names += name;
      previous = name;
    }
    append_canonical_value(canonical.block, value);
    canonical.block += '\n';
  }
  return canonical;
}

std::string canonical_path(const HttpRequest& request, const SigningScope& scope) {
  const std::string sent = percent_encode(request.path, true);
  return scope.service == "s3" ? sent : percent_encode(sent, true);
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  text.reserve(std::accumulate(parts.begin(), parts.end(), std::size_t{0},
                               [](std::size_t size, std::string_view part) { return size + part.size(); }));
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string make_signing_key(std::string_view secret, std::string_view day, const SigningScope& scope) {
  std::string key = hmac_sha256(joined({"AWS4", secret}), day);
  key = hmac_sha256(key, scope.region);
  key = hmac_sha256(key, scope.service);
  return hmac_sha256(key, "aws4_request");
}

}  // namespace

std::string SigningKeys::get(const std::string& secret, std::string_view day, const SigningScope& scope) {
  const std::scoped_lock lock(m_mutex);
  for (const Made& made : m_made)
    if (made.day == day && made.scope == scope && made.secret == secret) return made.key;
  if (m_made.size() == k_kept) m_made.erase(m_made.begin());
  return m_made.emplace_back(Made{secret, std::string(day), scope, make_signing_key(secret, day, scope)}).key;
}

void sign(HttpRequest& request, std::string_view payload_sha256, const Credentials& credentials,
          const SigningScope& scope, SystemTime now) {
  SigningKeys keys;
  sign(request, payload_sha256, credentials, scope, now, keys);
}

void sign(HttpRequest& request, std::string_view payload_sha256, const Credentials& credentials,
          const SigningScope& scope, SystemTime now, SigningKeys& keys) {
  const std::string time = to_basic_iso8601(now);
  const std::string_view day = std::string_view(time).substr(0, 8);

  request.set_header("host", request.host);
  request.set_header("x-amz-date", time);
  if (scope.service == "s3") request.set_header("x-amz-content-sha256", std::string(payload_sha256));
  if (!credentials.session_token.empty()) request.set_header("x-amz-security-token", credentials.session_token);

  const CanonicalHeaders headers = canonical_headers(request.headers);
  const std::string canonical_request =
      joined({request.method, "\n", canonical_path(request, scope), "\n", canonical_query(request), "\n", headers.block,
              "\n", headers.signed_names, "\n", payload_sha256});
  const std::string credential_scope = joined({day, "/", scope.region, "/", scope.service, "/aws4_request"});
  const std::string string_to_sign =
      joined({k_algorithm, "\n", time, "\n", credential_scope, "\n", sha256_hex(canonical_request)});
  const std::string key = keys.get(credentials.secret_access_key, day, scope);
  request.set_header("authorization", joined({k_algorithm, " Credential=", credentials.access_key_id, "/",
                                              credential_scope, ", SignedHeaders=", headers.signed_names,
                                              ", Signature=", to_hex(hmac_sha256(key, string_to_sign))}));
}

}  // namespace repoupdate
