// SPDX-License-Identifier: Apache-2.0
#include "io/http.hpp"

#include <algorithm>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

// By hand, not by <cctype>: what a locale takes for a letter must not change a signature.
bool is_unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

bool is_host_character(char c) {
  return is_unreserved(c) || c == ':' || c == '[' || c == ']';
}

// Of "host:80" and "[::1]:80"; also where none is named. A password in the place of a port is none.
bool has_sound_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || host.find(']', colon) != std::string_view::npos) return true;
  return host.substr(colon + 1).find_first_not_of("0123456789") == std::string_view::npos;
}

void add_query(HttpRequest& request, std::string_view query) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(equals + 1, pair.size()));
    request.query.emplace_back(percent_decode(pair.substr(0, equals)), percent_decode(value));
  }
}

}  // namespace

void HttpRequest::set_header(std::string_view name, std::string value) {
  const auto found =
      std::find_if(headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; });
  if (found != headers.end())
    found->second = std::move(value);
  else
    headers.emplace_back(name, std::move(value));
}

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return {};
}

std::string percent_encode(std::string_view raw, bool keep_slash) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(raw.size());
  for (const char c : raw) {
    if (is_unreserved(c) || (keep_slash && c == '/')) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += k_digits[byte >> 4];
    encoded += k_digits[byte & 0xF];
  }
  return encoded;
}

std::string percent_decode(std::string_view encoded) {
  std::string raw;
  raw.reserve(encoded.size());
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && i + 2 < encoded.size()) {
      if (const auto byte = from_hex(encoded.substr(i + 1, 2))) {
        raw += *byte;
        i += 2;
        continue;
      }
    }
    raw += encoded[i];
  }
  return raw;
}

std::string form_decode(std::string_view encoded) {
  std::string spaced(encoded);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

std::string canonical_query(const HttpRequest& request) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(request.query.size());
  for (const auto& [name, value] : request.query)
    encoded.emplace_back(percent_encode(name, false), percent_encode(value, false));
  std::sort(encoded.begin(), encoded.end());
  std::string text;
  for (const auto& [name, value] : encoded) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string url(const HttpRequest& request) {
  std::string text = request.scheme + "://" + request.host + percent_encode(request.path, true);
  if (!request.query.empty()) text += '?' + canonical_query(request);
  return text;
}

Result<HttpRequest> parse_url(std::string_view url) {
  const Error malformed{ErrorKind::invalid, "not a URL of the form http[s]://host[:port][/path]", {}};
  HttpRequest request;
  request.scheme = url.substr(0, std::min(url.find("://"), url.size()));
  if (request.scheme != "https" && request.scheme != "http") return malformed;
  std::string_view rest = url.substr(request.scheme.size() + 3);
  request.host = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(request.host.size());
  if (request.host.empty() || !std::all_of(request.host.begin(), request.host.end(), is_host_character) ||
      !has_sound_port(request.host) || rest.find('#') != std::string_view::npos)
    return malformed;

  // The Host header leaves the scheme's own port out, and what is sent must be what is signed.
  const std::string_view own_port = request.scheme == "https" ? ":443" : ":80";
  if (request.host.ends_with(own_port)) request.host.resize(request.host.size() - own_port.size());

  const std::size_t question = std::min(rest.find('?'), rest.size());
  request.path = question == 0 ? "/" : percent_decode(rest.substr(0, question));
  if (question < rest.size()) add_query(request, rest.substr(question + 1));
  return request;
}

// Up to the last '@': a password that was not encoded may hold all that ends a host's name.
std::string without_userinfo(std::string_view url) {
  const std::size_t at = url.rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = scheme_end < at ? url.substr(0, scheme_end + 3) : std::string_view();
  return std::string(scheme) + "***" + std::string(url.substr(at));
}

}  // namespace repoupdate
