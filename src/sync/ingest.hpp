// SPDX-License-Identifier: Apache-2.0
// Which packages a repository takes in: what its operator decided, and the judgement of one package. What is listed
// already is not judged, but by a rebuild. docs/decisions/0025 has what becomes of a listed package that somebody
// replaces with a refused one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/package_record.hpp"
#include "rpm/keyring.hpp"

namespace repoupdate {

// Without rules everything is taken. Globs are those of the shell, and match the whole text.
struct IngestPolicy {
  std::shared_ptr<const Keyring> signed_by;  // null: signatures are not looked at
  bool file_name_is_nvra = false;            // name-version-release.arch.rpm
  std::vector<std::string> arches;           // empty: all; "noarch" and "src" have to be named, too
  std::vector<std::string> vendors;          // globs
  std::vector<std::string> allow_names;      // globs of the package's name, as its header says
  std::vector<std::string> deny_names;       // globs; go before those allowed
  std::uint64_t max_size = 0;                // bytes of the whole file; 0: any
  bool immutable = false;                    // what is listed is not replaced: see plan_edit()
};

// Before anything is read: invalid, with the reason.
Result<void> check_size(const IngestPolicy& policy, std::uint64_t size);

// invalid, with the rule that refuses it and why. `head` and `range` are those that `record` was read from.
Result<void> check_package(const IngestPolicy& policy, const PackageRecord& record, std::string_view head,
                           const HeaderRange& range);

}  // namespace repoupdate
