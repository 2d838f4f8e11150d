// SPDX-License-Identifier: Apache-2.0
// The `<file>` elements of a synthetic package.
#pragma once

#include <string>
#include <string_view>

#include "catalogue.hpp"

namespace repoupdate::bench {

// Those that createrepo_c puts into primary too: /etc, programs.
void append_primary_files(const SourcePlan& source, const PackagePlan& package, std::string_view indent,
                          std::string& out);

// All of them, package.files; the primary ones first.
void append_all_files(const SourcePlan& source, const PackagePlan& package, std::string_view indent, std::string& out);

}  // namespace repoupdate::bench
