// SPDX-License-Identifier: Apache-2.0
// repodata/repomd.xml: the pointer that names every metadata file of a repository with its checksum.
// There is no specification but createrepo_c's output and what dnf, zypper and yum read of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/checksum.hpp"
#include "model/metadata_kind.hpp"

namespace repoupdate {

inline constexpr std::string_view k_repomd_key = "repodata/repomd.xml";  // relative to the repository root

inline constexpr std::uint64_t k_max_repomd_size = 16ULL << 20;  // bytes; real ones have 3 to 30 KiB
inline constexpr std::size_t k_max_repomd_records = 4096;

struct RepomdRecord {
  std::string type;                       // "primary", "group", ...
  std::string location_href;              // unescaped; relative to the repository root
  std::string location_base;              // xml:base, unescaped; empty when there is none
  std::optional<Checksum> checksum;       // of the stored file; none also when its type is unknown
  std::optional<Checksum> open_checksum;  // of the decompressed file
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> open_size;
  std::int64_t timestamp = 0;  // Unix time, rounded down; 0 when absent or no number
  std::string raw;             // the whole <data> element as it stood; when set, it is what is written
};

struct Repomd {
  std::string root_tag;    // the root's start tag as it stood; empty: createrepo_c's
  std::string revision;    // unescaped; "" when absent
  std::string raw_tags;    // the <tags> element verbatim, or ""
  std::string raw_others;  // unknown children of the root, verbatim; <contenthash> is not kept, it would be stale
  std::vector<RepomdRecord> records;  // in the order of the file, each type at most once

  const RepomdRecord* find(std::string_view type) const;  // null when there is none
  const RepomdRecord* find(MetadataKind kind) const { return find(info(kind).name); }

  // The greatest timestamp of any record, 0 without records. yum 3 refuses a repomd.xml in which it sinks.
  std::int64_t newest_timestamp() const;
};

// corrupt: not well-formed, larger than a limit, a document type or entity declaration, a record without type or
// href, two of one type, an href that is absolute, leaves the root or holds control characters, no primary,
// filelists or other. unsupported: another encoding than UTF-8; xml:base or an unknown checksum type on one
// of the three.
Result<Repomd> parse_repomd(std::string_view xml);

// In createrepo_c's layout; records with `raw`, tags and unknown elements as they stood.
std::string write_repomd(const Repomd& repomd);

// The revision after `old` (invariant I13). Absent or a Unix time: max(now, old + 1). A smaller integer
// is a counter: old + 1. Any other text has a meaning that only its owner knows, and is kept.
std::string next_revision(std::string_view old, SystemTime now);

// True for records made from the packages that are not kept up to date here (sqlite, zchunk, filelists-ext):
// left as they are they would be stale (invariant I9).
bool is_derived_record(std::string_view type);

}  // namespace repoupdate
