// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(Hasher, PiecesGiveTheDigestOfTheWhole) {
  Hasher hasher(HashType::sha256);
  hasher.update("a");
  hasher.update("bc");
  EXPECT_EQ(hasher.finish_hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(HashType, ShaMeansSha1AsInOldRepositories) {
  EXPECT_EQ(parse_hash_type("sha"), HashType::sha1);
  EXPECT_EQ(parse_hash_type("sha512"), HashType::sha512);
  EXPECT_EQ(parse_hash_type("crc32"), std::nullopt);
}

TEST(HashType, IsToldByTheLengthOfTheDigest) {
  EXPECT_EQ(hash_type_of_length(40), HashType::sha1);
  EXPECT_EQ(hash_type_of_length(64), HashType::sha256);
  EXPECT_EQ(hash_type_of_length(63), std::nullopt);
}

TEST(Hmac, TakesAnEmptyKey) {
  EXPECT_EQ(to_hex(hmac_sha256({}, "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hmac, AgreesWithRfc4231Case2) {
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Secret, IsTheSameOnlyByteForByte) {
  EXPECT_TRUE(same_secret("", ""));
  EXPECT_TRUE(same_secret(std::string("a\0b", 3), std::string("a\0b", 3)));
  for (const std::string other : {"", "s", "secreT", "secret ", "Secret"}) EXPECT_FALSE(same_secret("secret", other));
  EXPECT_FALSE(same_secret(std::string("a\0b", 3), std::string("a\0c", 3)));
}

TEST(Base64, GoesRoundWithAnyPadding) {
  for (std::string raw : {"", "f", "fo", "foo", "foob"}) EXPECT_EQ(from_base64(to_base64(raw)), raw);
  EXPECT_EQ(to_base64("foob"), "Zm9vYg==");
  EXPECT_EQ(from_base64("Zm9v!"), std::nullopt);
}

TEST(Hex, RefusesWhatIsNotHex) {
  EXPECT_EQ(from_hex("00ff"), std::string("\x00\xff", 2));
  EXPECT_EQ(from_hex("0g"), std::nullopt);
  EXPECT_EQ(from_hex("123"), std::nullopt);
}

}  // namespace
}  // namespace repoupdate
