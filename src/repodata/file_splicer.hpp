// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "repodata/encoder.hpp"
#include "repodata/repo_index.hpp"
#include "repodata/splice_plan.hpp"

namespace repoupdate {

// What one metadata file is made from and how it is written.
struct FileSplice {
  MetadataKind kind = MetadataKind::primary;
  std::string_view stored;  // compressed
  Compression compression = Compression::gz;
  HashType checksum_type = HashType::sha256;
};

// Writes one file as the plan says: decodes, scans, keeps, erases, inserts, encodes, in one pass and in
// memory that does not grow with the open size. Nothing when the file does not list the packages of the index,
// each once and in its order. corrupt or unsupported when it cannot be read or edited.
Result<std::optional<EncodedFile>> splice_file(const FileSplice& splice, const RepoIndex& index,
                                               const SplicePlan& plan);

}  // namespace repoupdate
