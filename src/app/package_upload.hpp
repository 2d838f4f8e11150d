// SPDX-License-Identifier: Apache-2.0
// Local package files on their way into a repository.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sync/plan.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

struct LocalPackage {
  std::filesystem::path file;
  std::string href;    // where it goes, below the repository root
  std::string sha256;  // of the file
  std::uint64_t size = 0;
};

// Files, and the *.rpm of directories, each once; sorted by href. invalid: two files of the same name, or a
// name that cannot be a package's; not_found: no such file, or a directory without packages.
Result<std::vector<LocalPackage>> find_packages(const std::vector<std::string>& arguments,
                                                const std::string& directory);

// What is listed, for repositories that are immutable: the pkgids of each NEVRA.
using ListedPkgids = std::multimap<Nevra, std::string>;

struct UploadOptions {
  const ListedPkgids* listed = nullptr;  // null: only what is there under the same key is held against it
  bool always = false;                   // also send what is there already with the same bytes: its event is wanted
  bool progress = false;                 // draw a progress bar on standard error
  std::size_t parallel = 4;
};

struct UploadSummary {
  std::vector<LocalPackage> uploaded;  // or there already, with the same bytes
  std::vector<PackageFailure> failures;
};

// Reads, checks and uploads each file, unless the repository's rules refuse it; the store verifies the SHA-256. One that fails costs its neighbours nothing.
UploadSummary upload(const Repository& repository, std::vector<LocalPackage> packages, const UploadOptions& options,
                     std::stop_token stop);

}  // namespace repoupdate
