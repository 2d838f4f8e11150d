// SPDX-License-Identifier: Apache-2.0
#include "sync/package_fetch.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "testkit/memory_object_store.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {
namespace {

// One small package, of which a number of answers arrive damaged.
class PackageFetchTest : public testing::Test {
protected:
  enum class Where { header, payload };

  PackageFetchTest() { store.place("r/a.rpm", build_package({"a", "0", "1", "1", "noarch"}), SystemTime{}); }

  void damage(Where where, int answers) {
    store.on_the_way = [where, answers](const std::string&, std::string& bytes) mutable {
      if (answers-- <= 0 || bytes.empty()) return;
      char& byte = where == Where::payload ? bytes.back() : bytes.front();
      byte = static_cast<char>(byte ^ 1);
    };
    store.forget_requests();
  }
  Finding look() { return PackageFetch(store, "r/", options, ingest).look("a.rpm", nullptr, nullptr); }
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
