// SPDX-License-Identifier: Apache-2.0
// The three fragments of a synthetic package, in createrepo_c's layout: loaded by createrepo_c and dumped
// again they are the same bytes.
#pragma once

#include <cstdint>
#include <string>

#include "catalogue.hpp"
#include "model/metadata_kind.hpp"

namespace repoupdate::bench {

struct PackageFacts {
  std::string pkgid;            // 64 hex digits
  std::uint64_t size = 0;       // bytes of the file
  std::uint64_t time_file = 0;  // Unix time
};

PackageFacts package_facts(const SourcePlan& source, const PackagePlan& package);

void append_fragment(MetadataKind kind, const SourcePlan& source, const PackagePlan& package, std::string& out);

}  // namespace repoupdate::bench
