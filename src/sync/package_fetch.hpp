// SPDX-License-Identifier: Apache-2.0
// Reads one package as it is now: its header by range when the store vouches for the SHA-256, else the whole
// object once, through the hash, without a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/result.hpp"
#include "model/object_store.hpp"
#include "model/package_record.hpp"
#include "repodata/repo_index.hpp"
#include "rpm/package_reader.hpp"

namespace repoupdate {

// What a key turned out to be. Only a 404 is Gone; whatever else went wrong is an Error, and an entry that is
// listed stays listed (invariants I11, I14).
struct Gone {};
struct Unchanged {};  // the listed entry describes these very bytes

struct Finding {
  std::string href;  // the spelling that was found, or the one asked for
  std::variant<Gone, Unchanged, PackageRecord, Error> what;
  ETag etag;  // of the object that was looked at; empty when it is gone or was not seen
};

// One repository's packages in its store. Holds references: store and options must outlive it. Thread-safe.
class PackageFetch {
public:
  PackageFetch(ObjectStore& store, std::string prefix, const PackageReaderOptions& options)
      : m_store(store), m_prefix(std::move(prefix)), m_options(options) {}

  // `listed`: the entry that the metadata have for this href, or null. `earlier`: what an earlier look at it
  // found, or null; its record is used again while the object's ETag is the same.
  Finding look(const std::string& href, const IndexEntry* listed, const Finding* earlier) const;

private:
  bool has_old_pkgid(const std::string& key, const ObjectInfo& object, const IndexEntry& listed) const;
  Result<PackageRecord> read(const std::string& href, const ObjectInfo& object) const;
  Result<PackageRecord> read_header(const std::string& href, const ObjectInfo& object) const;
  Result<PackageRecord> read_whole(const std::string& href, const ObjectInfo& object) const;
  Result<PackageRecord> record(const std::string& href, const ObjectInfo& object, const std::string& sha256,
                               std::string_view head, const HeaderRange& range) const;

  ObjectStore& m_store;
  std::string m_prefix;
  const PackageReaderOptions& m_options;
};

}  // namespace repoupdate
