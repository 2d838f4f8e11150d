// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "repodata/repo_index.hpp"

namespace repoupdate {

// A stored filelists or other whose packages stand in another order than primary's, as open XML in primary's order.
// dnf and zypper do not mind the order, createrepo_c's PkgIterator (Pulp, Katello) does; such a file is put right
// once, when the repository is taken over. Each fragment keeps its bytes and the gap behind it. Holds the open file
// in memory, twice. corrupt, with the pkgid, when the file does not list the same packages as the index.
Result<std::string> in_primary_order(MetadataKind kind, std::string_view stored, const RepoIndex& index);

}  // namespace repoupdate
