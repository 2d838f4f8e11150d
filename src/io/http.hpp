// SPDX-License-Identifier: Apache-2.0
// HTTP requests and responses as values. Nothing here knows S3 or SQS.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// A request without its body; the path and query are kept apart and unencoded, so that one place encodes
// them for the wire and for the signature.
struct HttpRequest {
  std::string method = "GET";
  std::string scheme = "https";
  std::string host;                                        // with ":port" when it is not the scheme's own
  std::string path = "/";                                  // raw bytes, not percent-encoded
  std::vector<std::pair<std::string, std::string>> query;  // raw bytes, not percent-encoded; in any order
  HttpHeaders headers;

  // Replaces the header's value, or adds the header. `name` in lower case.
  void set_header(std::string_view name, std::string value);
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  // what no sink took: errors, and answers of requests without a sink
  // A kept connection died under the request, and it was sent again: it may have arrived twice.
  bool resent = false;

  bool succeeded() const { return status >= 200 && status < 300; }
  // The header's value, or "" when there is none. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

// RFC 3986 section 2: everything but unreserved characters, and but '/' when `keep_slash`, as upper-case %XX.
std::string percent_encode(std::string_view raw, bool keep_slash);

// %XX as a byte; a '%' without two hexadecimal digits stays as it is.
std::string percent_decode(std::string_view encoded);

// application/x-www-form-urlencoded, as S3 encodes keys in listings and events: the same, and '+' is a space.
std::string form_decode(std::string_view encoded);

// "a=1&b=", encoded and sorted by name, then value: what Signature Version 4 signs, and what is sent.
std::string canonical_query(const HttpRequest& request);

std::string url(const HttpRequest& request);

// A GET for "http[s]://host[:port][/path][?query]", decoded. ErrorKind::invalid for anything else, also for a
// URL with a user or a fragment. The message does not repeat the URL, which may hold a secret.
Result<HttpRequest> parse_url(std::string_view url);

// A URL, or what was to be one, for a message: with "***" in the place of a user and password.
std::string without_userinfo(std::string_view url);

}  // namespace repoupdate
