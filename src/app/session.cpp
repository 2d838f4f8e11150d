// SPDX-License-Identifier: Apache-2.0
#include "app/session.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <thread>

#include "app/ingest_settings.hpp"
#include "base/hash.hpp"
#include "io/scratch_files.hpp"
#include "sync/router.hpp"

namespace repoupdate {
namespace {

SameNevra same_nevra(const std::string& text) {
  if (text == "replace") return SameNevra::replace;
  if (text == "reject") return SameNevra::reject;
  return SameNevra::keep;
}

std::optional<Compression> compression(const std::string& text) {
  if (text == "gz") return Compression::gz;
  if (text == "zstd") return Compression::zstd;
  return std::nullopt;
}

constexpr std::chrono::hours k_expiry_warning(24 * 14);  // before a key does

bool is_plain_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

// Host and process, for people who look at a lease.
std::string who() {
  std::array<char, HOST_NAME_MAX + 1> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) return std::to_string(getpid());
  return std::string(host.data()) + ':' + std::to_string(getpid());
}

// A directory holds a file for each repository, whose name says which.
Result<QuarantinePlace> quarantine_place(Session& session, const std::string& where, const std::string& repository) {
  if (where == "store") return QuarantinePlace{};
  if (where == "off") return QuarantinePlace{.is_kept = false};
  if (!where.starts_with('/'))
    return Error{ErrorKind::invalid,
                 "quarantine = \"" + where + "\": expected store, off, or the absolute path of a directory",
                 {}};
  std::error_code failure;
  std::filesystem::create_directories(where, failure);
  auto store = session.stores->open({RepositoryLocation::Scheme::directory, where, {}});
  if (!store) return std::move(store).error();
  std::string name;
  for (const char c : repository) name += is_plain_name(c) ? c : '-';
  return QuarantinePlace{.store = *store,
                         .key = name.substr(0, 100) + '-' + sha256_hex(repository).substr(0, 16) + ".json"};
}

// Nothing could be published any more, at the hour that somebody chose years ago.
void warn_of_expiry(const Session& session, const std::string& repository, const Signer& signer) {
  const auto expiry = signer.next_expiry();
  if (!expiry || expiry->at - session.clock.now() > k_expiry_warning) return;
  const std::initializer_list<LogField> fields{
      {"repository", repository}, {"key", expiry->key}, {"expires", to_iso8601(expiry->at)}};
  if (expiry->at > session.clock.now())
    session.log.warning(
        "a signing key expires soon, and nothing can be published then: extend it, or sign by a new one too", fields);
  else
    session.log.error("a signing key has expired, and nothing is published: extend it, or sign by a new one", fields);
}

// Before anything is uploaded that could not be published.
Result<void> check_expiry(const Session& session, const Signer& signer) {
  const auto expiry = signer.next_expiry();
  if (!expiry || expiry->at > session.clock.now()) return {};
  return Error{ErrorKind::invalid,
               "key " + expiry->key + " has expired, on " + to_iso8601(expiry->at) +
                   ": extend it (gpg --quick-set-expire), or sign by a new one",
               {}};
}

// Other configured repositories that lie below this one.
std::vector<std::string> nested_repositories(const Settings& settings, const RepositoryLocation& location) {
  std::vector<RepositoryLocation> locations{location};
  for (const auto& configured : settings.repositories)
    if (auto other = parse_repository_location(configured.url)) locations.push_back(std::move(*other));
  return Router(locations).nested_in(0);
}

}  // namespace

RepositorySettings settings_for(const Settings& settings, const std::string& url) {
  for (const auto& configured : settings.repositories)
    if (is_same_location(configured.url, url)) return configured;
  RepositorySettings own = settings.defaults;
  own.url = url;
  return own;
}

void serve_too(Settings& settings, const std::string& url) {
  const auto is_there = [&](const RepositorySettings& known) { return is_same_location(known.url, url); };
  if (std::ranges::none_of(settings.repositories, is_there))
    settings.repositories.push_back(settings_for(settings, url));
}

LogOptions log_options(const LogSettings& settings) {
  LogOptions options;
  if (settings.level == "debug") options.level = LogLevel::debug;
  if (settings.level == "warning") options.level = LogLevel::warning;
  if (settings.level == "error") options.level = LogLevel::error;
  if (settings.format == "json") options.format = LogFormat::json;
  options.file = settings.file;
  return options;
}

CoalescingPolicy coalescing_policy(const RepositorySettings& settings) {
  return {.quiet = settings.quiet, .max_age = settings.max_age, .max_count = settings.max_count};
}

void renew_stores(Session& session) {
  const CacheSettings& cache = session.settings.cache;
  const char* tmpdir = std::getenv("TMPDIR");
  const std::string directory = cache.directory.empty() ? scratch_directory(tmpdir ? tmpdir : "") : cache.directory;
  session.stores = std::make_unique<Stores>(session.settings.aws, directory, session.clock, session.log,
                                            session.metrics, session.impatience);
  session.signers = std::make_unique<Signers>();
  session.scratch = std::make_unique<ScratchFiles>(directory);
}

Result<Repository> open_repository(Session& session, const std::string& url, Directory directory, Signing signing) {
  const auto location = parse_repository_location(url);
  if (!location) return location.error();
  if (location->scheme == RepositoryLocation::Scheme::directory) {
    std::error_code failure;
    const bool exists = std::filesystem::is_directory(location->bucket, failure);
    if (failure == std::errc::no_such_file_or_directory || failure == std::errc::not_a_directory) failure.clear();
    if (!exists && directory == Directory::make) std::filesystem::create_directories(location->bucket, failure);
    if (!exists && !failure && directory == Directory::must_exist)
      return Error{
          ErrorKind::not_found,
          "there is no directory " + location->bucket + ": `repoupdate init` makes it, with an empty repository",
          {}};
    if (failure)
      return Error{failure == std::errc::permission_denied || failure == std::errc::read_only_file_system
                       ? ErrorKind::denied
                       : ErrorKind::io,
                   "directory " + location->bucket + ": " + failure.message(),
                   {}};
  }
  auto store = session.stores->open(*location);
  if (!store) return std::move(store).error();
  const RepositorySettings settings = settings_for(session.settings, url);
  auto signer = signing == Signing::none ? Result<Signer*>(nullptr) : session.signers->open(settings);
  if (!signer) return std::move(signer.error()).within(to_string(*location));
  if (*signer != nullptr && signing == Signing::as_set)
    if (auto valid = check_expiry(session, **signer); !valid)
      return std::move(valid.error()).within(to_string(*location));
  if (*signer != nullptr && (*signer)->can_sign()) warn_of_expiry(session, to_string(*location), **signer);
  Repository repository{.name = to_string(*location),
                        .store = *store,
                        .scratch = session.scratch.get(),
                        .memory = nullptr,
                        .signer = *signer,
                        .prefix = location->prefix,
                        .policy = {},
                        .times_are_of_files = location->scheme == RepositoryLocation::Scheme::directory,
                        .nested = {}};
  repository.policy.compression = compression(settings.compression);
  repository.policy.packages.changelog_limit = static_cast<int>(settings.changelog_limit);
  repository.policy.same_nevra = same_nevra(settings.same_nevra);
  repository.policy.create = settings.create;
  repository.policy.requests = settings.requests;
  repository.policy.lease.length = settings.lease;
  repository.policy.lease.who = who();
  repository.policy.shrink = {settings.shrink_limit, settings.shrink_spare};
  repository.policy.sweep = {settings.sweep_grace, settings.sweep_generations};
  repository.policy.open_checksum = settings.open_checksum == "write";
  repository.policy.threads =
      settings.threads > 0 ? settings.threads : std::max<std::size_t>(1, std::thread::hardware_concurrency());
  auto quarantine = quarantine_place(session, settings.quarantine, repository.name);
  if (!quarantine) return std::move(quarantine).error();
  repository.quarantine = *std::move(quarantine);
  auto rules = ingest_rules(settings);
  if (!rules) return std::move(rules.error()).within(repository.name);
  repository.policy.ingest = std::move(rules->policy);
  repository.policy.judge = std::move(rules->judge);
  repository.nested = nested_repositories(session.settings, *location);
  return repository;
}

Directory when_missing(const Session& session, const std::string& url) {
  return settings_for(session.settings, url).create ? Directory::make : Directory::must_exist;
}

ExitCode fail(const Error& error) {
  std::cerr << "repoupdate: " << error.text() << '\n';
  return exit_code(error.kind);
}

}  // namespace repoupdate
