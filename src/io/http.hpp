// SPDX-License-Identifier: Apache-2.0
// HTTP requests and responses as values. Nothing here knows S3 or SQS.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace repoupdate {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// A request without its body; the path and query are kept apart and unencoded, so that one place encodes
// them for the wire and for the signature.
struct HttpRequest {
  std::string method = "GET";
  std::string scheme = "https";
  std::string host;                                            // with ":port" when it is not the scheme's own
  std::string path = "/";                                      // raw bytes, not percent-encoded
  std::vector<std::pair<std::string, std::string>> query;      // raw bytes, not percent-encoded
  HttpHeaders headers;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;
  std::string body;  // what no sink took: errors, and answers of requests without a sink

  // The header's value, or "" when there is none. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

// RFC 3986: everything but unreserved characters, and '/' when `keep_slash`, as upper-case %XX.
std::string percent_encode(std::string_view raw, bool keep_slash);
std::string canonical_query(const HttpRequest& request);  // sorted, encoded: what SigV4 signs and what is sent
std::string url(const HttpRequest& request);

}  // namespace repoupdate
