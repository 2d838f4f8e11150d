// SPDX-License-Identifier: Apache-2.0
#include "sync/whole_package.hpp"

#include <gtest/gtest.h>

#include "testkit/package_builder.hpp"

namespace repoupdate {
namespace {

const Nevra k_name{"a", "0", "1", "1", "noarch"};

bool payload_fits(std::string_view bytes, std::size_t piece) {
  WholePackage package(bytes.size(), true);
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    EXPECT_FALSE(package.is_complete());
    EXPECT_TRUE(package.take(bytes.substr(at, piece)).ok());
  }
  EXPECT_TRUE(package.is_complete());
  EXPECT_EQ(package.head().substr(0, package.range().end), bytes.substr(0, package.range().end));
  EXPECT_EQ(package.sha256(), sha256_hex(bytes));
  return package.payload_fits();
}

TEST(WholePackage, HeaderSpeaksForThePayload) {
  std::string bytes = build_package(k_name, 5000);
  for (const std::size_t piece : {std::size_t{7}, std::size_t{1000}, bytes.size()})
    EXPECT_TRUE(payload_fits(bytes, piece));
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  EXPECT_FALSE(payload_fits(bytes, 1000));
}

TEST(WholePackage, OldHeaderSaysNothingOfThePayload) {
  EXPECT_FALSE(payload_fits(build_package(k_name, 64, {}), 1000));
}

TEST(WholePackage, WhatIsNoPackageNeedNotBeRead) {
  WholePackage package(100'000, true);
  EXPECT_EQ(package.take(std::string(1000, 'x')).error().kind, ErrorKind::corrupt);
}

}  // namespace
}  // namespace repoupdate
