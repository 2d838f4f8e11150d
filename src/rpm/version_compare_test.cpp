// SPDX-License-Identifier: Apache-2.0
#include "rpm/version_compare.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

Nevra evr(const char* epoch, const char* version, const char* release) {
  return {"name", epoch, version, release, "noarch"};
}

TEST(VersionCompare, OrdersAsRpmDoes) {  // semantics 14
  struct Row {
    Nevra older, newer;
  };
  const Row rows[] = {
      {evr("0", "1.0", "1"), evr("0", "1.0", "2")},
      {evr("0", "9", "1"), evr("0", "10", "1")},
      {evr("0", "1.9", "9"), evr("0", "1.10", "1")},
      {evr("0", "9.9", "9"), evr("1", "0.1", "1")},
      {evr("9", "1", "1"), evr("10", "1", "1")},
      {evr("0", "1.0~rc1", "1"), evr("0", "1.0", "1")},
      {evr("0", "1.0~rc1", "9"), evr("0", "1.0~rc2", "1")},
      {evr("0", "1.0", "1"), evr("0", "1.0^git1", "1")},
      {evr("0", "1.0^git1", "1"), evr("0", "1.0.1", "1")},
      {evr("0", "1.0~rc1^git1", "1"), evr("0", "1.0", "1")},
      {evr("0", "1.0~rc1", "1"), evr("0", "1.0~rc1^git1", "1")},
      {evr("0", "1.0a", "1"), evr("0", "1.0b", "1")},
      {evr("0", "1.a", "1"), evr("0", "1.0", "1")},
      {evr("0", "1.0", "1"), evr("0", "1.0.0", "1")},
      {evr("0", "1.0", "1.fc9"), evr("0", "1.0", "1.fc40")},
      {evr("0", "20240101", "1"), evr("0", "99999999999999999999", "1")},
  };
  for (const auto& [older, newer] : rows) {
    EXPECT_TRUE(compare_evr(older, newer) < 0) << to_string(older) << " < " << to_string(newer);
    EXPECT_TRUE(compare_evr(newer, older) > 0) << to_string(newer) << " > " << to_string(older);
  }
}

TEST(VersionCompare, DifferentTextCanBeEqual) {
  EXPECT_TRUE(compare_evr(evr("0", "1.01", "1"), evr("0", "1.1", "1")) == 0);
  EXPECT_TRUE(compare_evr(evr("0", "1_0", "1"), evr("0", "1.0", "1")) == 0);
}

TEST(VersionCompare, DoesNotLookAtNameAndArch) {
  EXPECT_TRUE(compare_evr({"a", "0", "1", "1", "src"}, {"b", "0", "1", "1", "x86_64"}) == 0);
}

}  // namespace
}  // namespace repoupdate
