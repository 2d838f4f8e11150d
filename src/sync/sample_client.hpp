// SPDX-License-Identifier: Apache-2.0
// A client of a repository in a MemoryObjectStore, for tests: takes what repomd.xml names, and holds it against itself.
#pragma once

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "model/signer.hpp"
#include "repodata/repomd.hpp"
#include "repodata/verify.hpp"
#include "sync/signature.hpp"
#include "testkit/memory_object_store.hpp"

namespace repoupdate {

// What a client sees listed, by href, with its pkgid.
using SeenPackages = std::map<std::string, std::string>;

// One that has come for years: it also still holds every repomd.xml that it was given before, and may be reading
// what that names. Not thread-safe.
class ModelClient {
public:
  ModelClient(const MemoryObjectStore& store, std::string prefix) : m_store(store), m_prefix(std::move(prefix)) {}

  // Nothing when there is no repository. What is wrong goes to problems().
  std::optional<SeenPackages> look() {
    const auto contents = m_store.contents();
    const auto pointer = contents.find(m_prefix + std::string(k_repomd_key));
    if (pointer == contents.end()) {
      if (!m_held.empty()) note("repomd.xml is gone");
      return std::nullopt;
    }
    if (m_last != pointer->second.sha256) take(pointer->second.bytes, pointer->second.sha256, contents);
    for (const auto& [sha256, held] : m_held) check_files(held.repomd, contents);
    return m_held[m_last].packages;
  }

  // Whether what repomd.xml is now has a good signature, of all that the signer signs with.
  bool pair_agrees(Signer& signer) const {
    const auto contents = m_store.contents();
    const auto pointer = contents.find(m_prefix + std::string(k_repomd_key));
    const auto signature = contents.find(m_prefix + std::string(k_signature_key));
    return pointer != contents.end() && signature != contents.end() &&
           signer.check(pointer->second.bytes, signature->second.bytes).ok();
  }
  // How many repomd.xml it was given so far.
  std::size_t publications() const { return m_held.size(); }
  const std::vector<std::string>& problems() const { return m_problems; }

private:
  using Contents = std::map<std::string, MemoryObjectStore::Stored>;
  struct Held {
    Repomd repomd;
    SeenPackages packages;
  };

  void note(const std::string& problem) {
    if (std::ranges::find(m_problems, problem) == m_problems.end()) m_problems.push_back(problem);
  }

  void take(const std::string& bytes, const std::string& sha256, const Contents& contents) {
    m_last = sha256;
    auto repomd = parse_repomd(bytes);
    if (!repomd) return note(repomd.error().text());
    Held held{*std::move(repomd), {}};
    PerKind<SharedBytes> stored;
    for (const auto& kind : k_metadata_kinds) {
      const auto object = contents.find(m_prefix + held.repomd.find(kind.kind)->location_href);
      if (object != contents.end()) stored[kind.kind] = in_memory(object->second.bytes);
    }
    check_files(held.repomd, contents);
    if (std::ranges::all_of(k_metadata_kinds, [&](const auto& kind) { return stored[kind.kind] != nullptr; })) {
      const VerifyReport report = verify_metadata(held.repomd, stored);
      for (const auto& problem : report.problems) note(problem.key + ' ' + problem.what);
      for (const auto& entry : report.entries) held.packages[entry.location_href] = entry.pkgid;
    }
    check_growth(held.repomd);
    m_held[sha256] = std::move(held);
  }

  void check_files(const Repomd& repomd, const Contents& contents) {
    for (const auto& record : repomd.records) {
      const auto object = contents.find(m_prefix + record.location_href);
      if (object == contents.end())
        note(record.location_href + " is named and not there");
      else if (record.checksum && hash_hex_of(object->second, record) != record.checksum->hex)
        note(record.location_href + " has other bytes than its checksum says");
    }
  }
  static std::string hash_hex_of(const MemoryObjectStore::Stored& stored, const RepomdRecord& record) {
    return record.checksum->type == HashType::sha256 ? stored.sha256 : hash_hex(record.checksum->type, stored.bytes);
  }

  // I13
  void check_growth(const Repomd& repomd) {
    std::int64_t revision = 0;
    std::from_chars(repomd.revision.data(), repomd.revision.data() + repomd.revision.size(), revision);
    if (revision <= m_revision) note("revision went from " + std::to_string(m_revision) + " to " + repomd.revision);
    if (repomd.newest_timestamp() < m_timestamp) note("timestamps went back");
    m_revision = revision;
    m_timestamp = repomd.newest_timestamp();
  }

  const MemoryObjectStore& m_store;
  const std::string m_prefix;
  std::map<std::string, Held> m_held;  // by the SHA-256 of repomd.xml
  std::string m_last;
  std::int64_t m_revision = -1, m_timestamp = -1;
  std::vector<std::string> m_problems;
};

// What the store has to be listed.
inline SeenPackages packages_in(const MemoryObjectStore& store, const std::string& prefix) {
  SeenPackages packages;
  for (const auto& [key, stored] : store.contents())
    if (key.starts_with(prefix) && key.ends_with(".rpm")) packages[key.substr(prefix.size())] = stored.sha256;
  return packages;
}

}  // namespace repoupdate
