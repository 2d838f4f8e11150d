// SPDX-License-Identifier: Apache-2.0
// AWS Signature Version 4 for header authentication, as one pure function.
// Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API Reference.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "io/http.hpp"

namespace repoupdate {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;          // empty for long-lived keys
  std::optional<SystemTime> expires;  // none: never
};

struct SigningScope {
  std::string region;
  std::string service;  // "s3", "sqs"

  bool operator==(const SigningScope&) const = default;
};

// The keys that secrets make for a day, a region and a service, by four HMACs each: they serve for a whole day. The
// last k_kept of them are kept. Thread-safe.
class SigningKeys {
public:
  static constexpr std::size_t k_kept = 8;

  // `day` as YYYYMMDD in UTC.
  std::string get(const std::string& secret, std::string_view day, const SigningScope& scope);

private:
  struct Made {
    std::string secret, day;
    SigningScope scope;
    std::string key;
  };
  std::mutex m_mutex;
  std::vector<Made> m_made;
};

inline constexpr std::string_view k_unsigned_payload = "UNSIGNED-PAYLOAD";

// Adds host, x-amz-date, x-amz-content-sha256 (S3 only), x-amz-security-token and authorization.
// `payload_sha256` is the hex digest of the body, or k_unsigned_payload. All headers present are signed.
// The path is never normalised; for S3 it is encoded once, as it is sent, for other services twice.
void sign(HttpRequest& request, std::string_view payload_sha256, const Credentials& credentials,
          const SigningScope& scope, SystemTime now);
// The same, and keys that were made before serve again.
void sign(HttpRequest& request, std::string_view payload_sha256, const Credentials& credentials,
          const SigningScope& scope, SystemTime now, SigningKeys& keys);

}  // namespace repoupdate
