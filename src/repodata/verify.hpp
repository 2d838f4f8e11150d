// SPDX-License-Identifier: Apache-2.0
// Looks for what is wrong with a repository's metadata, with a full XML parser instead of the scanner
// that splice() uses: an independent second opinion.
#pragma once

#include <string>
#include <vector>

#include "model/metadata_kind.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

struct VerifyProblem {
  std::string key;   // of the metadata file, relative to the repository root
  std::string what;  // a sentence without newline

  bool operator==(const VerifyProblem&) const = default;
};

struct VerifyReport {
  std::vector<VerifyProblem> problems;  // empty: all is well
  std::vector<IndexEntry> entries;      // of primary, as far as it could be read
};

// Compares each stored (compressed) file with its record (checksum, size, open-checksum, open-size; I8), its
// `packages=` with the number of packages, the three with each other (the same pkgids in the same order; I7), and
// looks for an href that is listed twice. One that is null is not there: that alone is said of it. What cannot be read is a problem too, not a failure.
VerifyReport verify_metadata(const Repomd& repomd, const PerKind<SharedBytes>& stored);

}  // namespace repoupdate
