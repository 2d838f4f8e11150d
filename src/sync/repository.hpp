// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/object_store.hpp"
#include "model/scratch.hpp"
#include "model/signer.hpp"
#include "repodata/compression.hpp"
#include "rpm/package_reader.hpp"
#include "sync/ingest.hpp"
#include "sync/lease.hpp"
#include "sync/plan.hpp"
#include "sync/repository_memory.hpp"
#include "sync/shrink_guard.hpp"
#include "sync/sweep_policy.hpp"

namespace repoupdate {

// What the operator decided about one repository.
struct RepositoryPolicy {
  std::optional<Compression> compression;  // none: as the repository is, gz for a new one
  PackageReaderOptions packages;
  SameNevra same_nevra = SameNevra::keep;
  bool create = false;        // publish a first repomd.xml where there is none
  bool open_checksum = true;  // state <open-checksum> of the metadata files
  std::size_t requests = 64;  // to the store at the same time
  std::size_t threads = 2;    // that decompress, compress and hash
  // Lost races before giving up. One of N writers at a time wins each round: among 32 that never rest, one in ten
  // million updates loses this often; they would have waited some minutes.
  int attempts = 500;
  IngestPolicy ingest;
  ShrinkPolicy shrink;
  SweepPolicy sweep;
  LeasePolicy lease;  // where the store has no conditional writes
  // Names the rules that packages are judged by: a verdict that stands in quarantine holds for the same rules only.
  std::string judge;
};

// Where the records of packages that cannot be listed are kept (sync/quarantine.hpp).
struct QuarantinePlace {
  bool is_kept = true;
  ObjectStore* store = nullptr;  // null: beside the repository's metadata
  std::string key;               // in `store`
};

// One repository in its store. What it points at must outlive it.
struct Repository {
  std::string name;          // as configured, for messages: "s3://bucket/prefix" or a directory
  ObjectStore* store;        // never null
  Scratch* scratch;          // never null
  RepositoryMemory* memory;  // of this process; null: nothing is kept between updates
  Signer* signer = nullptr;  // null: repomd.xml is not signed
  std::string prefix;        // "" or ending in '/'
  RepositoryPolicy policy;
  // Last-Modified is whatever the file came with, as in a directory; a bucket's is the time of the upload.
  bool times_are_of_files = false;
  QuarantinePlace quarantine;
  // Repositories below this one that are kept for themselves: hrefs with these prefixes are not its packages.
  std::vector<std::string> nested;
  // Something more is done: a page listed, a package looked at, a file put. May be empty; called from any thread.
  std::function<void()> on_progress{};

  bool owns(std::string_view href) const;
  void progress() const {
    if (on_progress) on_progress();
  }
};

}  // namespace repoupdate
