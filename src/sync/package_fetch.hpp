// SPDX-License-Identifier: Apache-2.0
// Reads one package as it is now: its first bytes, which hold the header of nine out of ten, in one request. What is
// left of a large header, and where the store does not vouch for the SHA-256 the whole object, once, through the hash,
// without a file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/byte_budget.hpp"
#include "base/result.hpp"
#include "model/object_store.hpp"
#include "model/package_record.hpp"
#include "repodata/repo_index.hpp"
#include "rpm/package_reader.hpp"
#include "sync/ingest.hpp"

namespace repoupdate {

// What a key turned out to be. Only a 404 is Gone; whatever else went wrong is an Error, and an entry that is
// listed stays listed (invariants I11, I14).
struct Gone {};
struct Unchanged {};  // the listed entry describes these very bytes

struct Finding {
  std::string href;  // the spelling that was found, or the one asked for
  std::variant<Gone, Unchanged, PackageRecord, Error> what;
  ETag etag;               // of the object that was looked at; empty when it is gone or was not seen
  std::uint64_t size = 0;  // of the object that failed or was read
  // The Error is a verdict of the repository's rules: the object was read, it is not the one that is listed, and it is
  // not to be.
  bool is_refused = false;
};

class WholePackage;

// Of headers beyond their first 128 KiB that are in memory at the same time; a larger one is there alone.
inline constexpr std::uint64_t k_large_headers_budget = 32U << 20;

// One repository's packages in its store. Holds references: store, options and rules must outlive it. Thread-safe.
class PackageFetch {
public:
  PackageFetch(ObjectStore& store, std::string prefix, const PackageReaderOptions& options, const IngestPolicy& ingest)
      : m_store(store), m_prefix(std::move(prefix)), m_options(options), m_ingest(ingest) {}

  // One key to look at. `listed`: the entry that the metadata have for this href, or null. `earlier`: what an earlier
  // look at it found, or null; its record is used again while the object's ETag is the same. Both must outlive it.
  struct Question {
    std::string href;
    const IndexEntry* listed = nullptr;
    const Finding* earlier = nullptr;
    // Somebody said that it is not there, and it is to be sure: asked for by a GET in any case, whose 404 tells whose it is.
    bool is_doubted = false;
    // So far:
    int looks = 0;
    bool arrived_damaged = false;
  };
  // A package whose whole header is here. Must not outlive the PackageFetch that it comes from.
  struct Fetched {
    Question question;
    ObjectInfo object;  // with the SHA-256, as the store or the bytes tell
    std::string head;   // its first bytes, up to the end of the header
    HeaderRange range;
    ByteBudget::Share share;  // of a head beyond k_first_read
  };

  // Fetches and reads. Where there is neither an entry nor an earlier finding, or its absence is doubted, the first
  // request asks for the package's first bytes; else for its head. What arrives corrupt from another machine is fetched once more.
  Finding look(Question question) const;

  // The halves of look(): fetch() waits for the store, read() never does. A Question is to be fetched again.
  std::variant<Finding, Fetched> fetch(Question question) const;
  std::variant<Finding, Question> read(Fetched fetched) const;

private:
  // An object and the bytes of it that came along.
  struct Start {
    ObjectInfo object;
    std::string head;
  };
  Result<Start> begin(const std::string& key, bool is_known) const;
  Result<void> learn_sha256(const std::string& key, Start& start) const;
  std::optional<Finding> known(const Question& question, const ObjectInfo& object) const;
  bool has_old_pkgid(const std::string& key, const ObjectInfo& object, const IndexEntry& listed) const;
  Result<Fetched> fetch_header(const std::string& key, Start start) const;
  Result<Fetched> fetch_whole(const std::string& key, Start start) const;
  Result<void> confirm(const std::string& key, const ObjectInfo& object, WholePackage& arrived) const;
  Result<Finding> describe(const Fetched& fetched) const;
  std::optional<Finding> give_up(Question& question, const ObjectInfo& object, Error error) const;

  ObjectStore& m_store;
  std::string m_prefix;
  const PackageReaderOptions& m_options;
  const IngestPolicy& m_ingest;
  mutable ByteBudget m_large_headers{k_large_headers_budget};
};

}  // namespace repoupdate
