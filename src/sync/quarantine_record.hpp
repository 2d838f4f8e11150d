// SPDX-License-Identifier: Apache-2.0
// What is written down of packages that cannot be listed: which, why, since when, and how often they were tried. Pure.
// docs/decisions/0024 says where it is kept, and when a record goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object.hpp"

namespace repoupdate {

// More are not written down: they are reported each time that they are looked at.
inline constexpr std::size_t k_max_quarantined = 2000;
inline constexpr std::uint64_t k_max_quarantine_size = std::uint64_t{4} << 20;  // of the object that holds them
inline constexpr std::size_t k_max_quarantine_reason = 1000;                    // bytes; the rest is cut off

struct QuarantineRecord {
  std::string href;        // the key below the repository root
  std::uint64_t size = 0;  // of the object that was looked at
  ETag etag;               // empty: the object could not even be seen
  ErrorKind kind = ErrorKind::corrupt;
  std::string reason;
  SystemTime since{};       // of the first failure of these bytes
  SystemTime tried{};       // of the last one that was written down
  std::uint64_t tries = 1;  // that were written down
  // Whose verdict it is: a program of another version, or with other rules, looks again.
  std::string judge;
  // The same judge comes to the same verdict while the object is the same, so it need not be read again. Not so where
  // the failure may pass, or depends on other packages.
  bool stands = false;
  bool is_listed = false;  // the metadata still list the bytes that were there before

  bool operator==(const QuarantineRecord&) const = default;
};

using QuarantineRecords = std::map<std::string, QuarantineRecord, std::less<>>;  // by href

// The records, and the version of the object that they are from.
struct QuarantineSight {
  std::optional<ETag> etag;  // none: there is no object
  QuarantineRecords records;
};

// True when `object` is what the record speaks of, unchanged.
bool is_of(const QuarantineRecord& record, const ObjectInfo& object);

// One JSON object; empty for no records. As many records as the limits allow, in the order of their keys.
std::string to_json(const QuarantineRecords& records);
// One record, as `quarantine list --json` shows it and to_json() above writes it.
std::string to_json(const QuarantineRecord& record);

// What to_json() wrote. Nothing when it is something else: damaged, or of a later version of this program.
std::optional<QuarantineRecords> parse_quarantine(std::string_view json);

}  // namespace repoupdate
