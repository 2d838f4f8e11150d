// SPDX-License-Identifier: Apache-2.0
#include "rpm/keyring.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;

std::string binary(const char* base64) {
  return *from_base64(base64);
}

// Two Ed25519 keys, and what GnuPG made with them of build_header() of this package: with a digest of the payload, and
// without.
const Nevra k_package{"signed", "0", "1", "1", "noarch"};
const std::string k_payload_digest = sha256_hex("not looked at");
const std::string k_vendor_key = binary(
    "mDMEZZKpQBYJKwYBBAHaRw8BAQdA/7emOohwk58vNqVosS+TU8fobD4FAp5zkjaWxVAds0a0EnZlbmRvckBleGFtcGxlLm9yZ4iQ"
    "BBMWCAA4FiEE8TvhjungC6TMsRC0VWEEBvjaJfAFAmWSqUACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQVWEEBvjaJfC3"
    "4gD+NuY0qm5GYO0geVgTvDRn0v9d2PHo5HTerxgra4pk/DwA/2x8CizJVe8a8E1L5ztnycOm3MrbCE6QwbyPhyu501wP");
const std::string k_stranger_key = binary(
    "mDMEZZKpQBYJKwYBBAHaRw8BAQdApOq61tCcPYsHmWSsZTZLPrkrB0MTHhJwLeDp44xzgzq0FHN0cmFuZ2VyQGV4YW1wbGUub3Jn"
    "iJAEExYIADgWIQS6f9dsFiPctkGMttWxVR1kl7ZEsAUCZZKpQAIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAKCRCxVR1kl7ZE"
    "sIeHAP42AYeOGemdQQ9KnBWqlyYOp+Si8gKfac0IX4gYUSRV2wEAra1JmeLWHfmlEf8978XMZhJtyozhRUS61XD76FaVBwQ=");
const std::string k_by_vendor = binary(
    "iIkEABYIADEWIQTxO+GO6eALpMyxELRVYQQG+Nol8AUCZZKpQBMcdmVuZG9yQGV4YW1wbGUub3JnAAoJEFVhBAb42iXwZ48A+wYm"
    "c5MmPdpiAixHsBwwonkSnaxC0DPWZqXrhTBRdorrAQCmyozHBCc5SDdtCSqkUiXaSYtDx467oPHg4wQ0wRZoDQ==");
const std::string k_by_vendor_sha1 = binary(
    "iIkEABYCADEWIQTxO+GO6eALpMyxELRVYQQG+Nol8AUCZZKpQBMcdmVuZG9yQGV4YW1wbGUub3JnAAoJEFVhBAb42iXwp/EA/16g"
    "r2HXINu/cXvrzJTu7/F/DyFVtWaOcbcNVyh11l+bAQDe6vNPYwg265B8DMLvyYUcYBf6YE7xLesinXX/mAS7DQ==");
const std::string k_by_vendor_no_digest = binary(
    "iIkEABYIADEWIQTxO+GO6eALpMyxELRVYQQG+Nol8AUCZZKpQBMcdmVuZG9yQGV4YW1wbGUub3JnAAoJEFVhBAb42iXwkB4BAMNB"
    "VlxCp79CFbUQvloYxGr8u6GdDNdDo/9+10YJl5rFAP0TvDM1SpM8AdL8FhJ/8HroZdodeISJi7wUYRt7mSZTCw==");
const std::string k_by_stranger = binary(
    "iIsEABYIADMWIQS6f9dsFiPctkGMttWxVR1kl7ZEsAUCZZKpQBUcc3RyYW5nZXJAZXhhbXBsZS5vcmcACgkQsVUdZJe2RLCf/gEA"
    "rz4PBYFATDIdAV7qHk0+Y6OwWCQadkS+w6ylzTkg9aoA/0ABaK6MdaGJjQAk9VUw1p9t98No5OzCCuoIu9LZOBAG");
const std::string k_vendor_key_armoured =
    "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    "\n"
    "mDMEZZKpQBYJKwYBBAHaRw8BAQdA/7emOohwk58vNqVosS+TU8fobD4FAp5zkjaW\n"
    "xVAds0a0EnZlbmRvckBleGFtcGxlLm9yZ4iQBBMWCAA4FiEE8TvhjungC6TMsRC0\n"
    "VWEEBvjaJfAFAmWSqUACGwMFCwkIBwIGFQoJCAsCBBYCAwECHgECF4AACgkQVWEE\n"
    "BvjaJfC34gD+NuY0qm5GYO0geVgTvDRn0v9d2PHo5HTerxgra4pk/DwA/2x8CizJ\n"
    "Ve8a8E1L5ztnycOm3MrbCE6QwbyPhyu501wP\n"
    "=zzTN\n"
    "-----END PGP PUBLIC KEY BLOCK-----\n";

PackageExtras signed_with(const std::string& signature) {
  return {.payload_digest = k_payload_digest, .header_signature = signature};
}

class KeyringTest : public testing::Test {
protected:
  KeyringTest() { EXPECT_TRUE(keyring.add(k_vendor_key, "vendor.key").ok()); }

  // Nothing, or why it is refused.
  std::string verdict(const std::string& package) {
    const auto probe = probe_header(package, package.size());
    if (!probe || !probe->range) return "no package";
    const auto checked = keyring.check(package, *probe->range);
    if (checked) return "";
    EXPECT_EQ(checked.error().kind, ErrorKind::invalid);
    return checked.error().message;
  }
  std::string verdict(const PackageExtras& extras) { return verdict(build_package(k_package, 64, extras)); }

  Keyring keyring;
};

TEST_F(KeyringTest, TheRightKeyIsAccepted) {
  EXPECT_EQ(verdict(signed_with(k_by_vendor)), "");
}

TEST_F(KeyringTest, KeysMayBeArmouredAndSeveralInAFile) {
  Keyring one;
  ASSERT_TRUE(one.add("A comment\n" + k_vendor_key_armoured + k_vendor_key_armoured, "a").ok());
  std::swap(keyring, one);
  EXPECT_EQ(verdict(signed_with(k_by_vendor)), "");
  Keyring two;
  ASSERT_TRUE(two.add(k_stranger_key + k_vendor_key, "b").ok());
  std::swap(keyring, two);
  EXPECT_EQ(verdict(signed_with(k_by_vendor)), "");
  EXPECT_EQ(verdict(signed_with(k_by_stranger)), "");
}

TEST_F(KeyringTest, WhatHoldsNoKeyIsRefusedByName) {
  for (const std::string& bytes :
       {std::string(), std::string("hello"), k_by_vendor, k_vendor_key.substr(0, 20),
        std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"), std::string(k_max_public_key_file + 1, 'x')}) {
    const auto added = Keyring().add(bytes, "some.key");
    ASSERT_TRUE(added.failed_with(ErrorKind::invalid));
    EXPECT_THAT(added.error().message, HasSubstr("some.key"));
  }
}

TEST_F(KeyringTest, AnotherKeyIsRefused) {
  EXPECT_THAT(verdict(signed_with(k_by_stranger)), HasSubstr("signed by another key"));
}

TEST_F(KeyringTest, NoSignatureIsRefused) {
  EXPECT_THAT(verdict(PackageExtras{.payload_digest = k_payload_digest}), HasSubstr("it is not signed"));
}

TEST_F(KeyringTest, ASignatureOfHeaderAndPayloadIsNone) {
  const PackageExtras extras{.payload_digest = k_payload_digest, .package_signature = k_by_vendor};
  EXPECT_THAT(verdict(extras), HasSubstr("only header and payload together"));
}

// The signature of the one header does not fit another.
TEST_F(KeyringTest, AChangedHeaderIsRefused) {
  PackageExtras extras = signed_with(k_by_vendor);
  extras.vendor = "Somebody else";
  EXPECT_THAT(verdict(extras), HasSubstr("does not fit the header"));
}

TEST_F(KeyringTest, Sha1IsRefused) {
  EXPECT_THAT(verdict(signed_with(k_by_vendor_sha1)), HasSubstr("SHA-1"));
}

// Anybody could put another payload behind it.
TEST_F(KeyringTest, AHeaderWithoutDigestOfThePayloadIsRefused) {
  EXPECT_THAT(verdict(PackageExtras{.header_signature = k_by_vendor_no_digest}), HasSubstr("digest of the payload"));
}

TEST_F(KeyringTest, GarbageForASignatureIsRefused) {
  for (const std::string& bytes : {std::string("hello"), k_by_vendor.substr(0, 40), k_vendor_key})
    EXPECT_NE(verdict(signed_with(bytes)), "");
}

}  // namespace
}  // namespace repoupdate
