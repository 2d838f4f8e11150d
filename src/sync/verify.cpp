// SPDX-License-Identifier: Apache-2.0
#include "sync/verify.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "base/parallel.hpp"
#include "sync/object_hash.hpp"
#include "sync/package_key.hpp"
#include "sync/quarantine.hpp"
#include "sync/reconcile.hpp"
#include "sync/repository_state.hpp"
#include "sync/signature.hpp"

namespace repoupdate {
namespace {

// While others keep publishing.
constexpr int k_max_attempts = 3;

class Verification {
public:
  Verification(const Repository& repository, std::stop_token stop)
      : m_repository(repository), m_stop(std::move(stop)) {}

  Result<VerifyOutcome> run(bool read_packages);
  // Somebody has published since it began: what it found need not hold of one repomd.xml.
  bool is_outdated() const;

private:
  Result<PerKind<SharedBytes>> fetch_metadata(const Repomd& repomd);
  Result<void> check_other_records(const Repomd& repomd);
  Result<std::string> look_at_signature(const std::string& repomd) const;
  Result<void> check_signature(const std::string& repomd);
  Result<void> check_presence();
  Result<void> check_packages();
  Result<void> check_package(const IndexEntry& entry);
  void problem(const std::string& key, const std::string& what, Repair repair) {
    const std::scoped_lock lock(m_mutex);
    m_outcome.repair = std::max(m_outcome.repair, repair);
    m_outcome.problems.push_back({key, what});
  }

  const Repository& m_repository;
  std::stop_token m_stop;
  std::mutex m_mutex;
  ETag m_pointer;
  std::string m_signature_problem;  // as it was first seen
  VerifyOutcome m_outcome;
  std::vector<IndexEntry> m_entries;
};

bool is_package_file(const std::string& type) {
  for (const auto& kind : k_metadata_kinds)
    if (kind.name == type) return true;
  return false;
}

Result<VerifyOutcome> Verification::run(bool read_packages) {
  const auto pointer = m_repository.store->get(m_repository.prefix + std::string(k_repomd_key), {}, k_max_repomd_size);
  if (pointer.failed_with(ErrorKind::not_found)) return no_repository(m_repository);
  if (!pointer) return pointer.error();
  m_pointer = pointer->info.etag;
  const auto repomd = parse_repomd(pointer->bytes);
  if (!repomd) {
    problem(std::string(k_repomd_key), repomd.error().text(), Repair::rebuild);
    return std::move(m_outcome);
  }
  auto unfit = look_at_signature(pointer->bytes);
  if (!unfit) return std::move(unfit).error();
  m_signature_problem = *std::move(unfit);
  const auto stored = fetch_metadata(*repomd);
  if (!stored) return stored.error();
  VerifyReport report = verify_metadata(*repomd, *stored);
  for (auto& found : report.problems) problem(found.key, found.what, Repair::rebuild);
  m_entries = std::move(report.entries);
  m_outcome.packages = m_entries.size();
  if (auto checked = check_other_records(*repomd); !checked) return std::move(checked).error();
  if (auto checked = check_presence(); !checked) return std::move(checked).error();
  if (read_packages)
    if (auto checked = check_packages(); !checked) return std::move(checked).error();
  if (auto checked = check_signature(pointer->bytes); !checked) return std::move(checked).error();
  return std::move(m_outcome);
}

bool Verification::is_outdated() const {
  const auto now = m_repository.store->head(m_repository.prefix + std::string(k_repomd_key));
  return now && now->etag != m_pointer;
}

// A missing file stays null.
Result<PerKind<SharedBytes>> Verification::fetch_metadata(const Repomd& repomd) {
  PerKind<SharedBytes> stored;
  for (const auto& kind : k_metadata_kinds) {
    const std::string& href = repomd.find(kind.kind)->location_href;
    auto opened = m_repository.store->open(m_repository.prefix + href);
    if (opened.failed_with(ErrorKind::not_found)) continue;
    auto local = opened ? make_local(*opened, *m_repository.scratch) : std::move(opened);
    if (!local) return std::move(local).error();
    stored[kind.kind] = *std::move(local);
  }
  return stored;
}

Result<void> Verification::check_other_records(const Repomd& repomd) {
  for (const auto& record : repomd.records) {
    if (is_package_file(record.type) || !record.location_base.empty() || !record.checksum) continue;
    const auto digest =
        hash_object(*m_repository.store, m_repository.prefix + record.location_href, {}, record.checksum->type);
    if (digest.failed_with(ErrorKind::not_found)) {
      problem(record.location_href, "is named by repomd.xml (" + record.type + ") and is not there", Repair::none);
    } else if (!digest) {
      return digest.error();
    } else if (*digest != record.checksum->hex) {
      problem(record.location_href, "has another checksum than repomd.xml says", Repair::none);
    }
  }
  return {};
}

// What is wrong with the signature of this repomd.xml; empty when nothing is.
Result<std::string> Verification::look_at_signature(const std::string& repomd) const {
  const auto signature =
      m_repository.store->get(m_repository.prefix + std::string(k_signature_key), {}, k_max_signature_size);
  if (signature.failed_with(ErrorKind::not_found))
    return std::string(m_repository.signer ? "is not there, and a key is configured to sign with" : "");
  if (signature.failed_with(ErrorKind::invalid)) return std::string("is too large for a signature");
  if (!signature) return signature.error();
  if (!m_repository.signer) return std::string("is there, and no key is configured to check it with");
  const auto good = m_repository.signer->check(repomd, signature->bytes);
  if (good) return std::string();
  if (good.failed_with(ErrorKind::corrupt)) return good.error().message;
  return good.error();
}

// Whoever publishes writes the signature a moment after repomd.xml. So one that does not fit is looked at again, when the
// rest has been checked.
Result<void> Verification::check_signature(const std::string& repomd) {
  if (m_signature_problem.empty()) return {};
  auto found = look_at_signature(repomd);
  if (!found) return std::move(found).error();
  if (!found->empty())
    problem(std::string(k_signature_key), *found, m_repository.signer ? Repair::update : Repair::key);
  return {};
}

Result<void> Verification::check_presence() {
  const auto objects = list_package_objects(m_repository);
  if (!objects) return objects.error();
  std::map<std::string_view, const ObjectInfo*> present;
  for (const auto& object : objects->packages) present[object.key] = &object;
  const auto quarantine = read_quarantine(m_repository);
  if (!quarantine) return quarantine.error();
  const auto is_quarantined = [&](const ObjectInfo& object) {
    const auto record = quarantine->records.find(object.key);
    if (record == quarantine->records.end() || !is_of(record->second, object)) return false;
    m_outcome.quarantined.push_back({object.key, record->second.reason});
    return true;
  };
  std::set<std::string_view> listed;
  for (const auto& entry : m_entries) {
    const auto key = key_of_href(entry.location_href);
    if (!m_repository.owns(key)) continue;
    listed.insert(key);
    if (!entry.location_base.empty()) continue;  // may be elsewhere
    const auto found = present.find(key);
    if (found == present.end()) {
      problem(entry.location_href, "is listed and is not there", Repair::update);
    } else if (found->second->size != entry.size && !is_quarantined(*found->second)) {
      problem(entry.location_href,
              "is listed with " + std::to_string(entry.size) + " bytes and has " + std::to_string(found->second->size),
              Repair::update);
    }
  }
  for (const auto& object : objects->packages)
    if (!listed.contains(object.key) && !is_quarantined(object))
      problem(object.key, "is there and is not listed", Repair::update);
  return {};
}

Result<void> Verification::check_packages() {
  std::vector<Result<void>> outcomes(m_entries.size());
  for_each_parallel(m_entries.size(), m_repository.policy.requests, [&](std::size_t i) {
    if (!m_stop.stop_requested()) outcomes[i] = check_package(m_entries[i]);
  });
  if (m_stop.stop_requested()) return Error{ErrorKind::cancelled, m_repository.name + ": stopped", {}};
  for (auto& outcome : outcomes)
    if (!outcome) return std::move(outcome).error();
  return {};
}

Result<void> Verification::check_package(const IndexEntry& entry) {
  const auto key = key_of_href(entry.location_href);
  if (!entry.location_base.empty() || !m_repository.owns(key)) return {};
  const std::string full = m_repository.prefix + std::string(key);
  const auto object = m_repository.store->head(full);
  if (object.failed_with(ErrorKind::not_found)) return {};  // reported by check_presence
  if (!object) return object.error();
  const HashType type = hash_type_of_length(entry.pkgid.size()).value_or(HashType::sha256);
  Result<std::string> digest =
      object->sha256 && type == HashType::sha256 ? *object->sha256 : hash_object(*m_repository.store, full, {}, type);
  if (!digest) return std::move(digest).error();
  if (*digest != entry.pkgid) problem(entry.location_href, "has other bytes than the metadata say", Repair::rebuild);
  return {};
}

}  // namespace

Result<VerifyOutcome> verify(const Repository& repository, bool read_packages, std::stop_token stop) {
  for (int attempt = 1;; ++attempt) {
    Verification verification(repository, stop);
    auto outcome = verification.run(read_packages);
    const bool is_sound = outcome && outcome->problems.empty();
    if (is_sound || !outcome || attempt == k_max_attempts || !verification.is_outdated()) return outcome;
  }
}

}  // namespace repoupdate
