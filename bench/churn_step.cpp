// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "compressed_file.hpp"
#include "io/scratch_files.hpp"
#include "metadata_generator.hpp"
#include "random.hpp"
#include "repodata/decoder.hpp"
#include "repodata/index_reader.hpp"
#include "repodata/splice.hpp"
#include "repository_files.hpp"
#include "steps.hpp"
#include "stopwatch.hpp"

namespace repoupdate::bench {
namespace {

constexpr int k_own_zstd_level = 7;  // that the splice compresses with; of gzip it is k_gzip_level

// A repository that is edited again and again, in memory but for what the splice keeps in scratch files.
class ChurnedRepository {
public:
  ChurnedRepository(RepoIndex index, const GeneratorOptions& options, std::size_t edits, std::size_t threads)
      : m_index(std::move(index)),
        m_generator(options),
        m_fresh(m_generator.new_packages(edits, options.seed)),
        m_threads(threads) {}

  // One in three adds, one replaces, one removes.
  Result<void> edit() {
    const std::uint64_t kind = m_random.below(3);
    MetadataEdit edit;
    if (kind == 0) {
      const std::size_t chosen = m_random.below(m_fresh.size());
      edit.inserts.push_back(std::move(m_fresh[chosen]));
      m_fresh.erase(m_fresh.begin() + static_cast<std::ptrdiff_t>(chosen));
      return apply(edit);
    }
    const auto chosen = choose_listed();
    if (!chosen) return chosen.error();
    const auto& [number, listed] = *chosen;
    edit.erases.push_back({listed.position, listed.entry.location_href, listed.entry.pkgid, listed.entry.nevra});
    if (kind == 1) edit.inserts.push_back(m_generator.rebuilt_package(number, m_random.next()));
    return apply(edit);
  }

  const RepoIndex& index() const { return m_index; }

private:
  Result<std::pair<std::size_t, ListedPackage>> choose_listed() {
    for (;;) {
      const std::size_t number = m_random.below(m_generator.size());
      const std::string& href = m_generator.href(number);
      auto found = find_packages(m_index, std::set{href.substr(href.rfind('/') + 1)}, m_threads);
      if (!found) return std::move(found).error();
      if (!found->empty()) return std::pair(number, std::move(found->front()));  // else removed already
    }
  }

  Result<void> apply(const MetadataEdit& edit) {
    m_now += std::chrono::seconds(1);
    auto spliced = splice(m_index, edit, {.now = m_now, .open_checksum = false, .threads = m_threads});
    if (!spliced) return std::move(spliced).error();
    m_index = std::move(spliced->index);
    for (SegmentedFile& file : m_index.files.values) {  // as it is once it has been stored
      auto bytes = read_all(*file.stored, k_max_stored_metadata_size);
      if (!bytes) return std::move(bytes).error();
      file.stored = in_memory(*std::move(bytes));
    }
    return {};
  }

  RepoIndex m_index;
  MetadataGenerator m_generator;
  std::vector<PackageRecord> m_fresh;
  std::size_t m_threads;
  Random m_random{1};
  SystemTime m_now = SystemClock().now();
};

// The size that the open bytes of `file` have when they are compressed from front to back.
Result<std::uint64_t> size_at_once(const SegmentedFile& file, const std::filesystem::path& path) {
  CompressedFile written(path, file.compression,
                         file.compression == Compression::zstd ? k_own_zstd_level : k_gzip_level);
  Decoder decoder(file.stored);
  for (;;) {
    const auto piece = decoder.next();
    if (!piece) return piece.error();
    if (piece->empty()) break;
    written.write(*piece);
  }
  const auto finished = written.finish();
  if (!finished) return finished.error();
  return finished->size;
}

}  // namespace

Result<Json> churn_step(const Json& plan) {
  auto files = open_repository_files(plan.at("repository").get<std::string>());
  if (!files) return std::move(files).error();
  const std::string scratch_path = plan.at("scratch").get<std::string>();
  ScratchFiles scratch(scratch_path);
  const auto threads = plan.at("threads").get<std::size_t>();
  const auto edits = plan.at("edits").get<std::size_t>();
  auto index = read_index(std::move(files->repomd), files->stored, {.threads = threads}, scratch);
  if (!index) return std::move(index).error();

  const Stopwatch stopwatch;
  ChurnedRepository repository(*std::move(index), {.packages = plan.at("generated").get<std::size_t>()}, edits,
                               threads);
  for (std::size_t i = 0; i < edits; ++i)
    if (auto edited = repository.edit(); !edited) return std::move(edited).error();
  const double wall = stopwatch.wall();

  std::uint64_t stored = 0, at_once = 0;
  for (const SegmentedFile& file : repository.index().files.values) {
    const auto size = size_at_once(file, std::filesystem::path(scratch_path) / "at-once");
    if (!size) return size.error();
    stored += file.stored->size();
    at_once += *size;
  }
  return Json{{"wall", wall}, {"stored", stored}, {"at_once", at_once}};
}

}  // namespace repoupdate::bench
