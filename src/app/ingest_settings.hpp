// SPDX-License-Identifier: Apache-2.0
// From the settings of a repository to the rules for what it takes in.
#pragma once

#include <string>

#include "app/settings.hpp"
#include "sync/ingest.hpp"

namespace repoupdate {

struct IngestRules {
  IngestPolicy policy;
  std::string judge;  // this version of the program, and a digest of the rules and the keys: see RepositoryPolicy
};

// Reads the key files. An Error names the file that cannot be read, or has no key.
Result<IngestRules> ingest_rules(const RepositorySettings& settings);

}  // namespace repoupdate
