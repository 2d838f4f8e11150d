// SPDX-License-Identifier: Apache-2.0
// A lease on a repository's pointer, for stores without conditional writes: whoever holds it may write repomd.xml.
// It is an object, repodata/.repoupdate/lease.json. docs/decisions/0010 says what this can promise and what not.
//
//   claim    read it; when it is free or has expired, write ours; wait until all who read the same must have written
//            theirs, too; it is ours when it still says so then
//   renew    long before it expires
//   confirm  read it right before the pointer is written
//   release  write it without an owner; the token stays, so that it only grows
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

inline constexpr std::string_view k_lease_key = "repodata/.repoupdate/lease.json";
inline constexpr Duration k_max_lease{std::chrono::minutes(10)};

struct LeasePolicy {
  Duration length{std::chrono::seconds(30)};  // others wait at most this long for an owner that is dead
  // A claim that took longer than this from the look to the answer is void, and whoever made one in time waits this
  // long before believing it. The same for all writers of a repository.
  Duration settle{std::chrono::seconds(2)};
  std::string who;  // host and process, for people
};

// What the object says.
struct LeaseRecord {
  std::string owner;           // unique; empty: nobody
  std::uint64_t token = 0;     // one more with each owner
  std::uint64_t renewals = 0;  // makes each write another object
  Duration length{0};
  SystemTime expires{};  // by the owner's clock; for people
};

std::string to_json(const LeaseRecord& record);
// Nothing when it is not one of ours.
std::optional<LeaseRecord> parse_lease(std::string_view json);

// A lease as somebody else sees it.
struct LeaseSight {
  LeaseRecord record;
  SystemTime written{};       // both by the store's clock, in whole seconds; the epoch: not known
  SystemTime answered{};      //
  Duration unchanged_for{0};  // since the observer saw it first, by the observer's own clock
};
// Whether its owner must have stopped by now. Never by comparing two clocks.
bool has_expired(const LeaseSight& sight);

// One writer's. Not thread-safe. What it refers to must outlive it.
class Lease {
public:
  // `name` is the repository's, for messages; `prefix` is empty or ends in '/'.
  Lease(ObjectStore& store, std::string name, const std::string& prefix, const LeasePolicy& policy, Clock& clock);

  // Waits until it is ours: k_patience at most. conflict: others kept it, or no claim got through; timed_out: the store
  // is too slow for it; cancelled; else what the store says.
  Result<void> acquire(std::stop_token stop);
  // Until when what is written under it has to be done. precondition_failed when it is not ours any more, or not for long
  // enough to write a pointer.
  Result<SteadyTime> confirm();
  Result<void> renew();
  // Does nothing when it is not ours. A failure costs others the rest of the lease.
  void release();

  bool held() const { return m_valid_until.has_value(); }
  std::uint64_t token() const { return m_mine.token; }

private:
  struct Seen;
  Result<std::optional<Seen>> look();
  Result<bool> claim(std::uint64_t token, SteadyTime looked, std::stop_token stop);
  Result<void> write(const LeaseRecord& record, std::optional<SteadyTime> deadline);
  Result<bool> is_ours();
  Error lost() const;

  ObjectStore& m_store;
  const std::string m_name;
  const std::string m_key;
  const LeasePolicy m_policy;
  Clock& m_clock;
  LeaseRecord m_mine;
  ETag m_seen;  // of somebody else's lease
  SteadyTime m_seen_since{};
  int m_void_claims = 0;  // in a row
  std::optional<SteadyTime> m_valid_until;
};

}  // namespace repoupdate
