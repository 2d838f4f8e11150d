// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace repoupdate {

// Where a repository is: the REPO argument of every command.
struct RepositoryLocation {
  enum class Scheme { s3, directory };

  Scheme scheme = Scheme::directory;
  std::string bucket;  // the bucket's name, or the directory's absolute path without a trailing slash
  std::string prefix;  // "" or "some/where/": the repository root below the bucket; always "" for a directory

  bool operator==(const RepositoryLocation&) const = default;
};

// "s3://bucket/prefix", "file:///directory", "directory" (relative to the working directory). ErrorKind::invalid
// for another scheme, an empty or malformed bucket name, or a prefix with an empty, "." or ".." segment.
Result<RepositoryLocation> parse_repository_location(std::string_view text);

std::string to_string(const RepositoryLocation& location);  // "s3://bucket/prefix" or the path

// Two spellings of one place. False where one of them cannot be parsed.
bool is_same_location(std::string_view one, std::string_view other);

}  // namespace repoupdate
