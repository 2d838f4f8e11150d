// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "metadata_generator.hpp"
#include "random.hpp"
#include "steps.hpp"
#include "testkit/package_builder.hpp"
#include "work_directory.hpp"

namespace repoupdate::bench {
namespace {

constexpr std::size_t k_payload = 4096;  // bytes; nobody unpacks it
constexpr std::uint64_t k_pool_seed = 7;

Result<void> write_package(const std::filesystem::path& directory, const std::string& href, const Nevra& nevra,
                           std::size_t files = 0) {
  const std::filesystem::path path = directory / href;
  std::error_code failed;
  std::filesystem::create_directories(path.parent_path(), failed);
  std::ofstream file(path, std::ios::binary);
  file << (files == 0 ? build_package(nevra, k_payload) : build_package(nevra, k_payload, {.files = files}));
  file.close();
  if (!file) return Error{ErrorKind::io, "writing " + path.string() + " failed", {}};
  return {};
}

// Writes the packages of a pool and notes their hrefs.
class PoolWriter {
public:
  explicit PoolWriter(std::filesystem::path directory) : m_directory(std::move(directory)) {}

  Result<void> add(std::string_view list, const std::string& href, const Nevra& nevra) {
    m_lists[std::string(list)].push_back(href);
    return write_package(m_directory, href, nevra);
  }
  // One that is not there.
  void add_gone(const std::string& href) { m_lists[std::string(k_pool_gone)].push_back(href); }

  Result<void> finish() const {
    std::ofstream file(m_directory / k_pool_file);
    file << m_lists.dump(1) << '\n';
    file.close();
    if (!file) return Error{ErrorKind::io, "writing " + (m_directory / k_pool_file).string() + " failed", {}};
    return {};
  }

private:
  std::filesystem::path m_directory;
  Json m_lists;
};

// As a build of one source package brings them: they stand side by side.
Nevra family_member(std::size_t number) {
  const std::string text = std::to_string(1000 + number);
  return {"plasma-frameworks-module" + text, "0", "6.1", "1.fc40", "x86_64"};
}

Result<void> write_new_packages(const MetadataGenerator& generator, PoolWriter& pool) {
  // Every tenth of the sorted ones, then the next: as far apart as can be.
  const auto fresh = generator.new_packages(k_pool_batches * k_batch, k_pool_seed);
  for (std::size_t batch = 0; batch < k_pool_batches; ++batch)
    for (std::size_t i = batch; i < fresh.size(); i += k_pool_batches)
      if (auto added = pool.add(k_pool_scattered, fresh[i].location_href, fresh[i].nevra); !added) return added;
  for (std::size_t i = 0; i < k_pool_batches * k_batch; ++i) {
    const Nevra nevra = family_member(i);
    if (auto added = pool.add(k_pool_family, "Packages/p/" + to_string(nevra) + ".rpm", nevra); !added) return added;
  }
  return {};
}

// Other bytes for packages that are listed, and packages that are listed but not there, by turns.
Result<void> write_listed_packages(const MetadataGenerator& generator, PoolWriter& pool) {
  const std::size_t step = generator.size() / (2 * k_pool_listed);
  for (std::size_t i = 0; i < 2 * k_pool_listed; ++i) {
    const PackageRecord record = generator.package(i * step);
    if (i % 2 == 1) {
      pool.add_gone(record.location_href);
    } else if (auto added = pool.add(k_pool_listed_anew, record.location_href, record.nevra); !added) {
      return added;
    }
  }
  return {};
}

GeneratorOptions options_of(const Json& plan) {
  return {.packages = plan.at("packages").get<std::size_t>()};
}

}  // namespace

Result<Json> generate_step(const Json& plan) {
  const Compression compression = plan.at("compression") == "zstd" ? Compression::zstd : Compression::gz;
  auto written = generate_repository(plan.at("directory").get<std::string>(), options_of(plan), compression);
  if (!written) return std::move(written).error();
  return Json::object();
}

Result<Json> pool_step(const Json& plan) {
  const MetadataGenerator generator(options_of(plan));
  PoolWriter pool(plan.at("directory").get<std::string>());
  if (auto added = write_new_packages(generator, pool); !added) return std::move(added).error();
  if (auto added = write_listed_packages(generator, pool); !added) return std::move(added).error();
  if (auto finished = pool.finish(); !finished) return std::move(finished).error();
  return Json::object();
}

Result<Json> packages_step(const Json& plan) {
  const MetadataGenerator generator(options_of(plan));
  for (std::size_t i = 0; i < generator.size(); ++i) {
    const PackageRecord record = generator.package(i);
    auto written = write_package(plan.at("directory").get<std::string>(), record.location_href, record.nevra,
                                 plan.value("files", std::size_t{0}));
    if (!written) return std::move(written).error();
  }
  return Json::object();
}

}  // namespace repoupdate::bench
