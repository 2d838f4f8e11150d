// SPDX-License-Identifier: Apache-2.0
#include "model/fragments.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(Fragments, CopiesShareTheTextUntilOneIsChanged) {
  Fragments one;
  one[MetadataKind::other] = "text";
  Fragments other = one;
  EXPECT_EQ(&std::as_const(one)[MetadataKind::other], &std::as_const(other)[MetadataKind::other]);
  other[MetadataKind::other] += " more";
  EXPECT_EQ(std::as_const(one)[MetadataKind::other], "text");
  EXPECT_EQ(std::as_const(other)[MetadataKind::other], "text more");
}

}  // namespace
}  // namespace repoupdate
