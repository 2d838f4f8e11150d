// SPDX-License-Identifier: Apache-2.0
#include "sync/package_fetch.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/hash.hpp"
#include "testkit/memory_object_store.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {
namespace {

// One small package, of which a number of answers arrive damaged.
class PackageFetchTest : public testing::Test {
protected:
  enum class Where { header, payload, lead };

  PackageFetchTest() { store.place("r/a.rpm", build_package({"a", "0", "1", "1", "noarch"}), SystemTime{}); }

  void damage(Where where, int answers) {
    store.on_the_way = [where, answers](const std::string&, std::string& bytes) mutable {
      if (answers-- <= 0 || bytes.empty()) return;
      constexpr std::size_t in_lead = 70;  // part of the name, which nobody reads
      char& byte = where == Where::payload ? bytes.back() : where == Where::lead ? bytes[in_lead] : bytes.front();
      byte = static_cast<char>(byte ^ 1);
    };
    store.forget_requests();
  }
  Finding look() { return PackageFetch(store, "r/", options, ingest).look({"a.rpm"}); }
  std::size_t reads() const {
    const auto all = store.requests();
    return static_cast<std::size_t>(
        std::ranges::count_if(all, [](const std::string& request) { return request.starts_with("GET "); }));
  }

  MemoryObjectStore store;
  PackageReaderOptions options;
  IngestPolicy ingest;
};

TEST_F(PackageFetchTest, WhatArrivesDamagedIsFetchedAgain) {
  for (const Where where : {Where::header, Where::payload}) {
    damage(where, 1);
    const Finding found = look();
    ASSERT_TRUE(std::holds_alternative<PackageRecord>(found.what)) << std::get<Error>(found.what).text();
    EXPECT_EQ(std::get<PackageRecord>(found.what).pkgid.hex, store.contents().at("r/a.rpm").sha256);
    EXPECT_EQ(reads(), 2U);
  }
}

TEST_F(PackageFetchTest, WhatArrivesDamagedTwiceIsCorrupt) {
  for (const Where where : {Where::header, Where::payload}) {
    damage(where, 10);
    const Finding found = look();
    ASSERT_TRUE(std::holds_alternative<Error>(found.what));
    EXPECT_EQ(std::get<Error>(found.what).kind, ErrorKind::corrupt);
    EXPECT_EQ(reads(), 2U);
  }
}

// Many are read in a row, and one of them may hold memory that others wait for: what is damaged goes back.
TEST_F(PackageFetchTest, ReadingAsksTheStoreForNothing) {
  const std::string package = build_package({"a", "0", "1", "1", "noarch"}, 300'000);
  const auto middle = package.size() - 300'000 - 100;  // of its header
  store.place("r/a.rpm", package, SystemTime{});
  store.on_the_way = [&](const std::string&, std::string& bytes) { bytes[middle] ^= 1; };
  const PackageFetch packages(store, "r/", options, ingest);
  auto step = packages.fetch({"a.rpm"});
  ASSERT_TRUE(std::holds_alternative<PackageFetch::Fetched>(step));
  auto fetched = std::get<PackageFetch::Fetched>(std::move(step));
  EXPECT_EQ(fetched.head.size(), fetched.range.end);
  EXPECT_LT(fetched.head.capacity(), 2 * fetched.range.end);
  store.on_the_way = nullptr;
  store.forget_requests();
  auto outcome = packages.read(std::move(fetched));
  EXPECT_EQ(reads(), 0U);
  ASSERT_TRUE(std::holds_alternative<PackageFetch::Question>(outcome));
  EXPECT_TRUE(std::holds_alternative<PackageRecord>(packages.look(std::get<PackageFetch::Question>(outcome)).what));
}

// Without a recorded SHA-256, what arrives damaged would be listed with the checksum of the damage.
TEST_F(PackageFetchTest, DamageIsToldWithoutRecordedSha256) {
  for (const std::size_t payload : {std::size_t{64}, std::size_t{300'000}}) {
    const std::string bytes = build_package({"a", "0", "1", "1", "noarch"}, payload);
    for (const bool has_digest : {true, false}) {
      store.place("r/a.rpm", has_digest ? bytes : build_package({"a", "0", "1", "1", "noarch"}, payload, {}),
                  SystemTime{}, false);
      for (const Where where : {Where::header, Where::payload, Where::lead}) {
        damage(where, 1);
        const Finding found = look();
        ASSERT_TRUE(std::holds_alternative<PackageRecord>(found.what)) << std::get<Error>(found.what).text();
        EXPECT_EQ(std::get<PackageRecord>(found.what).pkgid.hex, sha256_hex(store.contents().at("r/a.rpm").bytes));
      }
    }
  }
}

TEST_F(PackageFetchTest, PayloadThatFitsItsHeaderIsReadOnce) {
  store.place("r/a.rpm", build_package({"a", "0", "1", "1", "noarch"}, 300'000), SystemTime{}, false);
  std::size_t arrived = 0;
  store.on_the_way = [&](const std::string&, std::string& bytes) { arrived += bytes.size(); };
  store.forget_requests();
  EXPECT_TRUE(std::holds_alternative<PackageRecord>(look().what));
  EXPECT_EQ(reads(), 3U) << "its first bytes, the rest, and once more what is before its header";
  EXPECT_LT(arrived, 302'000U);
}

// Somebody's tool may write a digest that nobody checks: clients install the package, so it is not lost.
TEST_F(PackageFetchTest, PayloadThatNeverFitsItsHeaderIsListedAsItIs) {
  const auto bytes = build_package({"a", "0", "1", "1", "noarch"}, 300'000, {.payload_digest = sha256_hex("another")});
  store.place("r/a.rpm", bytes, SystemTime{}, false);
  const Finding found = look();
  ASSERT_TRUE(std::holds_alternative<PackageRecord>(found.what)) << std::get<Error>(found.what).text();
  EXPECT_EQ(std::get<PackageRecord>(found.what).pkgid.hex, sha256_hex(bytes));
}

TEST_F(PackageFetchTest, AnEmptyObjectCostsOneRequest) {
  store.place("r/a.rpm", "", SystemTime{});
  const Finding found = look();
  ASSERT_TRUE(std::holds_alternative<Error>(found.what));
  EXPECT_EQ(std::get<Error>(found.what).kind, ErrorKind::corrupt);
  EXPECT_EQ(store.requests().size(), 1U);
}

// Why the store gives nothing is none of its business.
TEST_F(PackageFetchTest, ARefusalIsNotAskedFurther) {
  store.before = [](const std::string&) -> Result<void> { return Error{ErrorKind::denied, "KMS", {}}; };
  const Finding found = look();
  ASSERT_TRUE(std::holds_alternative<Error>(found.what));
  EXPECT_EQ(std::get<Error>(found.what).kind, ErrorKind::denied);
  EXPECT_EQ(store.requests().size(), 1U);
}

TEST_F(PackageFetchTest, DiskIsReadOnce) {
  store.set_local();
  damage(Where::header, 10);
  const Finding found = look();
  ASSERT_TRUE(std::holds_alternative<Error>(found.what));
  EXPECT_EQ(std::get<Error>(found.what).kind, ErrorKind::corrupt);
  EXPECT_EQ(reads(), 1U);
}

}  // namespace
}  // namespace repoupdate
