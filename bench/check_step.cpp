// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "repodata/decoder.hpp"
#include "repodata/stored_file.hpp"
#include "repodata/verify.hpp"
#include "repository_files.hpp"
#include "steps.hpp"

namespace repoupdate::bench {
namespace {

Error wrong(const RepomdRecord& record, const std::string& what) {
  return {ErrorKind::corrupt, record.location_href + ' ' + what, {}};
}

// Checksums and sizes of the stored and the open bytes, and the number at the top.
Result<void> check_file(const RepositoryFiles& files, MetadataKind kind, std::size_t packages) {
  if (auto stored = check_stored(files.repomd, kind, *files.stored[kind]); !stored) return stored;
  const RepomdRecord& record = *files.repomd.find(kind);
  const std::string count = "packages=\"" + std::to_string(packages) + '"';
  Decoder decoder(files.stored[kind]);
  Hasher hasher(HashType::sha256);
  std::uint64_t open_size = 0;
  for (;;) {
    const auto piece = decoder.next();
    if (!piece) return piece.error();
    if (piece->empty()) break;
    if (open_size == 0 && piece->substr(0, piece->find("<package ")).find(count) == std::string_view::npos)
      return wrong(record, "does not say " + count);
    hasher.update(*piece);
    open_size += piece->size();
  }
  if (record.open_size != open_size) return wrong(record, "has another open size");
  if (record.open_checksum && record.open_checksum->hex != hasher.finish_hex())
    return wrong(record, "has another open checksum");
  return {};
}

Result<void> check_thoroughly(const RepositoryFiles& files, std::size_t packages) {
  const VerifyReport report = verify_metadata(files.repomd, files.stored);
  if (!report.problems.empty())
    return Error{ErrorKind::corrupt, report.problems.front().key + ": " + report.problems.front().what, {}};
  if (report.entries.size() != packages) return Error{ErrorKind::corrupt, "primary lists other packages", {}};
  return {};
}

}  // namespace

Result<Json> check_step(const Json& plan) {
  const auto files = open_repository_files(plan.at("repository").get<std::string>());
  if (!files) return files.error();
  const auto packages = plan.at("packages").get<std::size_t>();
  PerKind<Result<void>> outcomes;
  for_each_parallel(k_metadata_kinds.size(), k_metadata_kinds.size(), [&](std::size_t i) {
    outcomes.values[i] = check_file(*files, k_metadata_kinds[i].kind, packages);
  });
  for (auto& outcome : outcomes.values)
    if (!outcome) return std::move(outcome).error();
  if (plan.at("thorough").get<bool>())
    if (auto checked = check_thoroughly(*files, packages); !checked) return std::move(checked).error();
  std::uint64_t stored = 0;
  for (const auto& bytes : files->stored.values) stored += bytes->size();
  return Json{{"stored", stored}};
}

}  // namespace repoupdate::bench
