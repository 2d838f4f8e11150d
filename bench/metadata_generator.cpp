// SPDX-License-Identifier: Apache-2.0
#include "metadata_generator.hpp"

#include <fstream>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "base/parallel.hpp"
#include "compressed_file.hpp"
#include "package_text.hpp"
#include "random.hpp"

namespace repoupdate::bench {
namespace {

constexpr std::int64_t k_timestamp = 1'715'000'000;  // May 2024, after every file's time
constexpr std::size_t k_piece = 256 << 10;           // open bytes compressed at a time

PackageRecord make_record(const SourcePlan& source, const PackagePlan& plan) {
  const PackageFacts known = package_facts(source, plan);
  PackageRecord record;
  record.nevra = {plan.name, "0", source.version, source.release, std::string(plan.arch)};
  record.pkgid = {HashType::sha256, known.pkgid};
  record.location_href = plan.href;
  record.size = known.size;
  record.time_file = static_cast<std::int64_t>(known.time_file);
  for (const MetadataKindInfo& kind : k_metadata_kinds)
    append_fragment(kind.kind, source, plan, record.fragments[kind.kind]);
  return record;
}

std::string prolog(const MetadataKindInfo& kind, std::size_t packages) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<";
  text.append(kind.root).append(" xmlns=\"").append(kind.xml_namespace).append("\"").append(kind.root_attributes);
  return text + " packages=\"" + std::to_string(packages) + "\">\n";
}

Result<RepomdRecord> write_file(const std::filesystem::path& repodata, const MetadataGenerator& generator,
                                const MetadataKindInfo& kind, Compression compression) {
  const std::string name = std::string(kind.name) + ".xml" + std::string(file_suffix(compression));
  CompressedFile file(repodata / name, compression, compression == Compression::zstd ? k_zstd_level : k_gzip_level);
  std::string text = prolog(kind, generator.size());
  for (std::size_t i = 0; i < generator.size(); ++i) {
    generator.append_fragment(kind.kind, i, text);
    if (text.size() < k_piece) continue;
    file.write(text);
    text.clear();
  }
  file.write(text.append("</").append(kind.root).append(">"));
  auto written = file.finish();
  if (!written) return std::move(written).error();

  RepomdRecord record;
  record.type = kind.name;
  record.location_href = "repodata/" + written->sha256 + "-" + name;
  record.checksum = Checksum{HashType::sha256, written->sha256};
  record.open_checksum = Checksum{HashType::sha256, written->open_sha256};
  record.size = written->size;
  record.open_size = written->open_size;
  record.timestamp = k_timestamp;
  std::error_code failed;
  std::filesystem::rename(repodata / name, repodata / (written->sha256 + "-" + name), failed);
  if (failed) return Error{ErrorKind::io, "renaming " + (repodata / name).string() + ": " + failed.message(), {}};
  return record;
}

}  // namespace

MetadataGenerator::MetadataGenerator(const GeneratorOptions& options)
    : m_options(options), m_catalogue(make_catalogue(options.packages, options.seed)) {}

void MetadataGenerator::append_fragment(MetadataKind kind, std::size_t index, std::string& out) const {
  const PackagePlan& plan = m_catalogue.packages[index];
  bench::append_fragment(kind, m_catalogue.sources[plan.source], plan, out);
}

PackageRecord MetadataGenerator::package(std::size_t index) const {
  const PackagePlan& plan = m_catalogue.packages[index];
  return make_record(m_catalogue.sources[plan.source], plan);
}

PackageRecord MetadataGenerator::rebuilt_package(std::size_t index, std::uint64_t seed) const {
  PackagePlan plan = m_catalogue.packages[index];
  plan.build = derived_seed(plan.build, seed);
  return make_record(m_catalogue.sources[plan.source], plan);
}

std::vector<PackageRecord> MetadataGenerator::new_packages(std::size_t count, std::uint64_t seed) const {
  std::unordered_set<std::string> taken;
  for (const PackagePlan& plan : m_catalogue.packages) taken.insert(plan.name);
  const Catalogue added = make_catalogue(count, derived_seed(m_options.seed, seed), std::move(taken));
  std::vector<PackageRecord> records;
  for (const PackagePlan& plan : added.packages) records.push_back(make_record(added.sources[plan.source], plan));
  return records;
}

Result<Repomd> generate_repository(const std::filesystem::path& directory, const GeneratorOptions& options,
                                   Compression compression) {
  const std::filesystem::path repodata = directory / "repodata";
  std::error_code failed;
  std::filesystem::create_directories(repodata, failed);
  if (failed) return Error{ErrorKind::io, "creating " + repodata.string() + ": " + failed.message(), {}};

  const MetadataGenerator generator(options);
  PerKind<std::optional<Result<RepomdRecord>>> records;
  for_each_parallel(k_metadata_kinds.size(), k_metadata_kinds.size(), [&](std::size_t i) {
    records.values[i] = write_file(repodata, generator, k_metadata_kinds[i], compression);
  });
  Repomd repomd;
  repomd.revision = std::to_string(k_timestamp);
  for (auto& record : records.values) {
    if (!*record) return std::move(*record).error();
    repomd.records.push_back(std::move(*record).value());
  }
  std::ofstream pointer(directory / k_repomd_key, std::ios::binary);
  pointer << write_repomd(repomd);
  pointer.close();
  if (!pointer) return Error{ErrorKind::io, "writing " + (directory / k_repomd_key).string() + " failed", {}};
  return repomd;
}

}  // namespace repoupdate::bench
