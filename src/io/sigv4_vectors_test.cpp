// SPDX-License-Identifier: Apache-2.0
// AWS's published signing vectors (aws-c-auth, "aws-signing-test-suite"), where they lie beside the source tree, in
// ../shared/data. Their service is not S3: it normalises paths, which this test does in sign()'s place.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "base/hash.hpp"
#include "io/sigv4.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

// Their request lines hold a blank or bytes beyond ASCII, which no client can send; signing what is sent instead
// gives another signature.
const std::set<std::string> k_unsendable = {"get-space-normalized", "get-space-unnormalized", "get-utf8"};
constexpr std::size_t k_cases = 38;

struct Vector {
  HttpRequest request;
  std::string body;
};

std::string read(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string_view next_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

// RFC 3986 section 5.2.4, and no empty segments.
std::string normalised(std::string_view path) {
  std::vector<std::string_view> segments;
  bool is_directory = true;
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    is_directory = segment.size() < path.size() || segment == "." || segment == "..";
    path.remove_prefix(std::min(segment.size() + 1, path.size()));
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!segment.empty() && segment != "." && segment != "..") segments.push_back(segment);
  }
  std::string text;
  for (const std::string_view segment : segments) text.append("/").append(segment);
  return is_directory ? text + '/' : text;
}

void add_header(HttpRequest& request, std::string_view line) {
  if (line.starts_with(' ')) {  // goes on the one before
    request.headers.back().second.append(" ").append(line);
    return;
  }
  const std::size_t colon = line.find(':');
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  request.headers.emplace_back(name, line.substr(colon + 1));
  if (name == "host") request.host = request.headers.back().second;
}

Vector parse_request(std::string_view text, bool normalise) {
  Vector vector;
  const std::string_view line = next_line(text);
  const std::size_t target = line.find(' ') + 1;
  std::string uri(line.substr(target, line.rfind(" HTTP/1.1") - target));
  vector.request = *parse_url("https://h" + uri);
  vector.request.method = line.substr(0, target - 1);
  if (normalise) vector.request.path = normalised(vector.request.path);
  while (!text.empty()) {
    const std::string_view header = next_line(text);
    if (header.empty()) break;
    add_header(vector.request, header);
  }
  vector.body = text;
  return vector;
}

TEST(SigningVectors, AllThatCanBeSentAreSignedAsPublished) {
  const std::filesystem::path folder =
      std::filesystem::path(REPOUPDATE_SOURCE_DIR).parent_path() / "shared/data/aws-signing-test-suite/v4";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "there are no vectors in " << folder;
  std::size_t cases = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename();
    ++cases;
    if (k_unsendable.contains(name)) continue;
    const auto context = nlohmann::json::parse(read(entry.path() / "context.json"));
    Vector vector = parse_request(read(entry.path() / "request.txt"), context.at("normalize"));
    const auto& keys = context.at("credentials");
    const bool has_token = keys.contains("token") && !context.value("omit_session_token", false);
    const Credentials credentials{
        keys.at("access_key_id"), keys.at("secret_access_key"), has_token ? keys.at("token") : "", {}};
    const std::string digest = sha256_hex(vector.body);
    if (context.at("sign_body")) vector.request.set_header("x-amz-content-sha256", digest);
    sign(vector.request, digest, credentials, {context.at("region"), context.at("service")},
         parse_iso8601(context.at("timestamp").get<std::string>()).value());

    std::string wanted = read(entry.path() / "header-signature.txt");
    wanted.erase(wanted.find_last_not_of(" \r\n") + 1);
    const std::string& authorization = vector.request.headers.back().second;
    EXPECT_EQ(authorization.substr(authorization.rfind('=') + 1), wanted) << name;
  }
  EXPECT_EQ(cases, k_cases);
}

}  // namespace
}  // namespace repoupdate
