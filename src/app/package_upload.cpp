// SPDX-License-Identifier: Apache-2.0
#include "app/package_upload.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>

#include "app/progress_bar.hpp"
#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "rpm/package_reader.hpp"
#include "sync/object_hash.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> expand(const std::string& argument) {
  std::error_code failure;
  const auto status = fs::status(argument, failure);
  if (!fs::exists(status)) return Error{ErrorKind::not_found, "there is no file " + argument, {}};
  if (!fs::is_directory(status)) return std::vector<fs::path>{argument};
  std::vector<fs::path> files;
  for (fs::directory_iterator next(argument, failure), end; !failure && next != end; next.increment(failure)) {
    std::error_code ignored;
    if (is_package_href(next->path().filename().string()) && next->is_regular_file(ignored))
      files.push_back(next->path());
  }
  if (failure) return Error{ErrorKind::denied, "directory " + argument + ": " + failure.message(), {}};
  if (files.empty()) return Error{ErrorKind::not_found, "directory " + argument + " has no *.rpm", {}};
  return files;
}

// Hashes the whole file, and checks its header, whose bytes are kept until it is complete. Gives its NEVRA.
Result<Nevra> read_file(const IngestPolicy& ingest, LocalPackage& package) {
  std::ifstream stream(package.file, std::ios::binary);
  std::error_code failure;
  package.size = fs::file_size(package.file, failure);
  if (!stream || failure) return Error{ErrorKind::denied, "cannot be read", {}};
  if (auto fits = check_size(ingest, package.size); !fits) return std::move(fits).error();
  Hasher hasher(HashType::sha256);
  std::string head, piece(1 << 20, '\0');
  HeaderProbe probe{.range = std::nullopt, .need = 1};
  for (std::uint64_t seen = 0; seen < package.size;) {
    stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    const auto got = static_cast<std::size_t>(stream.gcount());
    if (got == 0) return Error{ErrorKind::io, "ends while it is read; is somebody writing it?", {}};
    const std::string_view bytes(piece.data(), got);
    hasher.update(bytes);
    seen += got;
    if (head.size() >= probe.need) continue;
    head += bytes;
    auto probed = probe_header(head, package.size);
    if (!probed) return std::move(probed).error();
    probe = *probed;
  }
  package.sha256 = hasher.finish_hex();
  if (!probe.range) return Error{ErrorKind::corrupt, "not an RPM package: the file is empty", {}};
  const PackageFacts facts{{HashType::sha256, package.sha256}, package.href, package.size, 0};
  const auto record = read_package(head, *probe.range, facts, {});
  if (!record) return record.error();
  if (auto taken = check_package(ingest, *record, head, *probe.range); !taken) return std::move(taken).error();
  return record->nevra;
}

Result<void> check_not_listed(const ListedPkgids& listed, const Nevra& nevra, const LocalPackage& package) {
  const auto [begin, end] = listed.equal_range(nevra);
  const bool is_same = std::any_of(begin, end, [&](const auto& entry) { return entry.second == package.sha256; });
  if (begin == end || is_same) return {};
  return Error{ErrorKind::invalid,
               "refused by immutable: " + to_string(nevra) + " is listed with other bytes; give it another release",
               {}};
}

enum class There { nothing, same, other, unknown };

// The same bytes need not be sent again.
There look_at_target(const Repository& repository, const std::string& key, const LocalPackage& package) {
  const auto there = repository.store->head(key);
  if (!there) return there.failed_with(ErrorKind::not_found) ? There::nothing : There::unknown;
  const auto same = has_bytes(*repository.store, key, *there, package.size, package.sha256);
  if (!same) return There::unknown;
  return *same ? There::same : There::other;
}

Error key_is_taken() {
  return {
      ErrorKind::invalid, "refused by immutable: there are other bytes under this name; give it another release", {}};
}

Result<void> upload_one(const Repository& repository, LocalPackage& package, const UploadOptions& options,
                        ProgressBar* bar) {
  const bool immutable = repository.policy.ingest.immutable;
  const auto nevra = read_file(repository.policy.ingest, package);
  if (!nevra) return nevra.error();
  if (immutable && options.listed)
    if (auto fresh = check_not_listed(*options.listed, *nevra, package); !fresh) return fresh;
  const std::string key = repository.prefix + package.href;
  const There there = options.always && !immutable ? There::unknown : look_at_target(repository, key, package);
  if (immutable && there == There::other) return key_is_taken();
  if (!options.always && there == There::same) {
    if (bar) bar->advance(package.size);
    return {};
  }
  PutOptions put;
  if (immutable && there == There::nothing) {  // somebody else may be putting theirs at this moment
    const auto abilities = repository.store->abilities(repository.prefix);
    put.if_absent = abilities && abilities->create == Condition::honoured;
  }
  put.content_type = "application/x-rpm";
  put.sha256 = package.sha256;
  std::uint64_t shown = 0;
  const auto progress = [&](std::uint64_t done) {
    if (bar && done > shown) bar->advance(done - std::exchange(shown, done));
  };
  const auto stored = repository.store->put_file(key, package.file, put, progress);
  if (put.if_absent && stored.failed_with(ErrorKind::precondition_failed)) return key_is_taken();
  return stored ? Result<void>{} : Result<void>(stored.error());
}

}  // namespace

Result<std::vector<LocalPackage>> find_packages(const std::vector<std::string>& arguments,
                                                const std::string& directory) {
  std::string below = directory;
  while (below.starts_with('/')) below.erase(0, 1);
  while (below.ends_with('/')) below.pop_back();
  if (below.find("//") != std::string::npos)
    return Error{ErrorKind::invalid, "the directory '" + directory + "' has an empty part", {}};
  std::map<std::string, LocalPackage> by_href;
  for (const auto& argument : arguments) {
    auto files = expand(argument);
    if (!files) return std::move(files).error();
    for (auto& file : *files) {
      const std::string href = (below.empty() ? "" : below + '/') + file.filename().string();
      if (!is_package_href(href))
        return Error{
            ErrorKind::invalid, file.string() + " does not end in .rpm, or may not be called so in a repository", {}};
      const auto [place, is_new] = by_href.try_emplace(href, LocalPackage{file, href, {}, 0});
      if (!is_new && place->second.file != file)
        return Error{
            ErrorKind::invalid,
            place->second.file.string() + " and " + file.string() + " would have the same name in the repository",
            {}};
    }
  }
  std::vector<LocalPackage> packages;
  for (auto& [href, package] : by_href) packages.push_back(std::move(package));
  return packages;
}

UploadSummary upload(const Repository& repository, std::vector<LocalPackage> packages, const UploadOptions& options,
                     std::stop_token stop) {
  std::optional<ProgressBar> bar;
  if (options.progress) {
    std::uint64_t total = 0;
    std::error_code ignored;
    for (const auto& package : packages) total += fs::file_size(package.file, ignored);
    bar.emplace(packages.size(), total);
  }
  UploadSummary outcome;
  std::mutex mutex;
  for_each_parallel(packages.size(), options.parallel, [&](std::size_t i) {
    Result<void> done = Error{ErrorKind::cancelled, "interrupted before it was uploaded", {}};
    if (!stop.stop_requested()) done = upload_one(repository, packages[i], options, bar ? &*bar : nullptr);
    if (bar) bar->file_done();
    const std::scoped_lock lock(mutex);
    if (done) {
      outcome.uploaded.push_back(packages[i]);
    } else {
      outcome.failures.push_back({packages[i].file.string(), std::move(done).error()});
    }
  });
  std::ranges::sort(outcome.uploaded, {}, &LocalPackage::href);
  std::ranges::sort(outcome.failures, {}, &PackageFailure::href);
  return outcome;
}

}  // namespace repoupdate
