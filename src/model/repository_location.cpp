// SPDX-License-Identifier: Apache-2.0
#include "model/repository_location.hpp"

#include <algorithm>
#include <filesystem>

namespace repoupdate {
namespace {

// The naming rules that every S3 store shares: 3 to 63 of [a-z0-9.-]; some older stores allow upper case
// and underscores, which stay allowed here.
bool is_bucket_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  };
  return name.size() >= 3 && name.size() <= 63 && std::all_of(name.begin(), name.end(), allowed);
}

Result<RepositoryLocation> parse_s3(std::string_view text, std::string_view rest) {
  const auto slash = rest.find('/');
  RepositoryLocation location{RepositoryLocation::Scheme::s3, std::string(rest.substr(0, slash)), {}};
  if (!is_bucket_name(location.bucket))
    return Error{
        ErrorKind::invalid, "'" + std::string(text) + "' has no valid bucket name; expected s3://bucket/prefix", {}};
  if (slash != std::string_view::npos) location.prefix = rest.substr(slash + 1);
  while (location.prefix.ends_with('/')) location.prefix.pop_back();
  std::string_view segments = location.prefix;
  while (!segments.empty()) {
    const auto end = segments.find('/');
    const auto segment = segments.substr(0, end);
    if (segment.empty() || segment == "." || segment == "..")
      return Error{
          ErrorKind::invalid, "'" + std::string(text) + "' has an empty, '.' or '..' segment in its prefix", {}};
    segments = end == std::string_view::npos ? std::string_view{} : segments.substr(end + 1);
  }
  if (!location.prefix.empty()) location.prefix += '/';
  return location;
}

}  // namespace

Result<RepositoryLocation> parse_repository_location(std::string_view text) {
  if (text.starts_with("s3://")) return parse_s3(text, text.substr(5));
  std::string_view path = text;
  if (path.starts_with("file://")) {
    path.remove_prefix(7);
    if (!path.starts_with('/'))
      return Error{
          ErrorKind::invalid, "'" + std::string(text) + "' is not an absolute path; expected file:///directory", {}};
  } else if (path.find("://") != std::string_view::npos || path.starts_with("s3:") || path.starts_with("file:")) {
    return Error{ErrorKind::invalid,
                 "'" + std::string(text) + "' is of no known kind; expected s3://bucket/prefix or a directory",
                 {}};
  }
  if (path.empty()) return Error{ErrorKind::invalid, "the repository is an empty string", {}};
  std::error_code failure;
  auto absolute = std::filesystem::absolute(std::filesystem::path(path), failure).lexically_normal();
  if (failure) return Error{ErrorKind::io, "'" + std::string(path) + "': " + failure.message(), {}};
  std::string directory = absolute.string();
  while (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  return RepositoryLocation{RepositoryLocation::Scheme::directory, std::move(directory), {}};
}

std::string to_string(const RepositoryLocation& location) {
  if (location.scheme == RepositoryLocation::Scheme::directory) return location.bucket;
  std::string text = "s3://" + location.bucket;
  if (!location.prefix.empty()) text += '/' + location.prefix.substr(0, location.prefix.size() - 1);
  return text;
}

bool is_same_location(std::string_view one, std::string_view other) {
  const auto here = parse_repository_location(one), there = parse_repository_location(other);
  return here && there && *here == *there;
}

}  // namespace repoupdate
