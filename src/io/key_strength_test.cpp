// SPDX-License-Identifier: Apache-2.0
#include "io/key_strength.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(KeyStrength, ShortRsaAndDsaAreRefused) {
  EXPECT_NE(weakness_of_key("RSA", 1024), "");
  EXPECT_NE(weakness_of_key("RSA", 2047), "");
  EXPECT_EQ(weakness_of_key("RSA", 2048), "");
  EXPECT_EQ(weakness_of_key("RSA", 4096), "");
  EXPECT_NE(weakness_of_key("DSA", 3072), "");
  EXPECT_EQ(weakness_of_key("EdDSA", 255), "");
  EXPECT_EQ(weakness_of_key("ECDSA", 256), "");
}

TEST(KeyStrength, OnlyTheSha2FamilyWillDo) {
  for (const char* weak : {"MD5", "SHA1", "RIPEMD160", ""}) EXPECT_NE(weakness_of_digest(weak), "") << weak;
  for (const char* strong : {"SHA256", "SHA384", "SHA512"}) EXPECT_EQ(weakness_of_digest(strong), "") << strong;
}

}  // namespace
}  // namespace repoupdate
