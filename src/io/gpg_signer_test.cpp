// SPDX-License-Identifier: Apache-2.0
// With GnuPG itself, and keys that are made here.
#include "io/gpg_signer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "io/command_signer.hpp"
#include "io/sample_gpg_home.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::string_view k_repomd = "<repomd>sample</repomd>";

class GpgSignerTest : public testing::Test {
protected:
  static void SetUpTestSuite() {
    home = new SampleGpgHome;
    one = home->make_key("one");
    two = home->make_key("two");
  }
  static void TearDownTestSuite() {
    delete home;
    home = nullptr;
  }
  static GpgSignerOptions from_home(std::vector<std::string> fingerprints) {
    return {.fingerprints = std::move(fingerprints), .home = home->path()};
  }
  static std::unique_ptr<Signer> opened(GpgSignerOptions options) {
    auto signer = GpgSigner::open(std::move(options));
    EXPECT_TRUE(signer.ok()) << signer.error().text();
    return signer ? *std::move(signer) : nullptr;
  }
  static std::string refusal(GpgSignerOptions options) {
    const auto signer = GpgSigner::open(std::move(options));
    EXPECT_TRUE(signer.failed_with(ErrorKind::invalid)) << (signer ? "opened" : signer.error().text());
    return signer ? "" : signer.error().text();
  }

  static SampleGpgHome* home;
  static std::string one, two;
};
SampleGpgHome* GpgSignerTest::home = nullptr;
std::string GpgSignerTest::one, GpgSignerTest::two;

TEST_F(GpgSignerTest, SignsWithAKeyOfAKeyring) {
  const auto signer = opened(from_home({one}));
  ASSERT_TRUE(signer);
  const auto signature = signer->sign(k_repomd, {});
  ASSERT_TRUE(signature.ok()) << signature.error().text();
  EXPECT_TRUE(signature->starts_with("-----BEGIN PGP SIGNATURE-----"));
  EXPECT_TRUE(signer->check(k_repomd, *signature).ok());
  const auto other = signer->check("other bytes", *signature);
  ASSERT_TRUE(other.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(other.error().text(), HasSubstr(one + " is of other bytes"));
  for (const char* rubbish : {"", "hello", "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n"})
    EXPECT_TRUE(signer->check(k_repomd, rubbish).failed_with(ErrorKind::corrupt)) << rubbish;
  EXPECT_TRUE(signer->public_keys().starts_with("-----BEGIN PGP PUBLIC KEY BLOCK-----"));
  // gpg itself agrees, with nothing but the published key.
  const SampleGpgHome client;
  client.import_keys(signer->public_keys());
  EXPECT_TRUE(client.verifies(std::string(k_repomd), *signature));
}

TEST_F(GpgSignerTest, SignsWithAKeyFileAndItsPassphraseAndLeavesNothingBehind) {
  SampleGpgHome own;
  const std::string key = own.make_key("guarded", {.passphrase = "correct horse"});
  const std::string secret = own.secret_key(key, "correct horse");
  std::string path;
  {
    const auto signer = opened({.secret_keys = secret, .passphrase = "correct horse"});
    ASSERT_TRUE(signer);
    EXPECT_TRUE(signer->sign(k_repomd, {}).ok());
    EXPECT_THAT(signer->public_keys(), Not(HasSubstr("PRIVATE")));
  }
  const auto wrong = opened({.secret_keys = secret, .passphrase = "battery staple"});
  const auto signature = wrong->sign(k_repomd, {});
  ASSERT_TRUE(signature.failed_with(ErrorKind::denied)) << (signature ? "signed" : signature.error().text());
  EXPECT_THAT(signature.error().text(), Not(HasSubstr("battery")));
}

TEST_F(GpgSignerTest, TwoKeysSignAtOnceDuringARotation) {
  const auto both = opened(from_home({one, two}));
  const auto old_only = opened(from_home({one}));
  const auto new_only = opened(from_home({two}));
  const auto signature = both->sign(k_repomd, {});
  ASSERT_TRUE(signature.ok()) << signature.error().text();
  for (const auto& signer : {both.get(), old_only.get(), new_only.get()})
    EXPECT_TRUE(signer->check(k_repomd, *signature).ok());
  const auto by_one = old_only->sign(k_repomd, {});
  const auto missing = both->check(k_repomd, *by_one);
  ASSERT_TRUE(missing.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(missing.error().text(), HasSubstr(two + " is missing"));
  for (const std::string& key : {one, two}) {
    const SampleGpgHome client;
    client.import_keys(home->public_key(key));
    EXPECT_TRUE(client.verifies(std::string(k_repomd), *signature, true));
  }
  // All keys of a key file sign.
  const auto from_file = opened({.secret_keys = home->secret_key(one) + home->secret_key(two)});
  EXPECT_TRUE(both->check(k_repomd, *from_file->sign(k_repomd, {})).ok());
}

TEST_F(GpgSignerTest, ForeignSignatureIsNone) {
  const auto signer = opened(from_home({one}));
  const auto other = opened(from_home({two}));
  const auto outcome = signer->check(k_repomd, *other->sign(k_repomd, {}));
  ASSERT_TRUE(outcome.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(outcome.error().text(), HasSubstr("is missing"));
}

TEST_F(GpgSignerTest, KeysThatMayNotSignAreRefusedWithTheReason) {
  SampleGpgHome own;
  const auto options = [&](const std::string& key) {
    return GpgSignerOptions{.fingerprints = {key}, .home = own.path()};
  };
  EXPECT_THAT(refusal(options(own.make_key("small", {.algorithm = "rsa1024"}))), HasSubstr("has 1024 bits"));
  EXPECT_THAT(refusal(options(own.make_key("dsa", {.algorithm = "dsa2048"}))), HasSubstr("is a DSA key"));
  const auto old = opened(options(own.make_key("old", {.expires = "1d", .made = "20200101T000000"})));
  ASSERT_TRUE(old) << "it still checks";
  EXPECT_THAT(old->sign(k_repomd, {}).error().text(), HasSubstr("has expired"));
  ASSERT_TRUE(old->next_expiry());
  EXPECT_EQ(to_iso8601(old->next_expiry()->at).substr(0, 10), "2020-01-02");
  const std::string revoked = own.make_key("revoked");
  own.revoke(revoked);
  EXPECT_THAT(refusal(options(revoked)), HasSubstr("was revoked"));
  EXPECT_THAT(refusal(options(own.make_key("certifies only", {.usage = "cert"}))), HasSubstr("no part that may sign"));
  EXPECT_THAT(refusal(options(std::string(40, 'A'))), HasSubstr("is not there"));
  EXPECT_THAT(refusal({.secret_keys = "no key"}), HasSubstr("no OpenPGP key"));
}

TEST_F(GpgSignerTest, TellsWhichKeyExpiresFirst) {
  SampleGpgHome own;
  const SystemTime now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto later = [&](const std::optional<KeyExpiry>& expiry) {
    return std::chrono::duration_cast<std::chrono::hours>(expiry->at - now + std::chrono::hours(1)).count() / 24;
  };
  const std::string endless = own.make_key("endless");
  const std::string month = own.make_key("month", {.expires = "30d"});
  const std::string week = own.make_key("week", {.expires = "7d"});
  EXPECT_FALSE(opened({.fingerprints = {endless}, .home = own.path()})->next_expiry());
  const auto first = opened({.fingerprints = {endless, month, week}, .home = own.path()})->next_expiry();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->key, week);
  EXPECT_EQ(later(first), 7);
  // A key may have another part that signs longer; then it lives as long as the key itself.
  own.add_part(month, "20d");
  EXPECT_EQ(later(opened({.fingerprints = {month}, .home = own.path()})->next_expiry()), 30);
  own.add_part(endless, "20d");
  EXPECT_FALSE(opened({.fingerprints = {endless}, .home = own.path()})->next_expiry());
  const std::string parts = own.make_key("in parts", {.usage = "cert"});
  own.add_part(parts, "20d");
  EXPECT_EQ(later(opened({.fingerprints = {parts}, .home = own.path()})->next_expiry()), 20);
}

TEST_F(GpgSignerTest, Sha1IsRefusedBeforeItIsPut) {
  SampleGpgHome own;
  const std::string key = own.make_key("sha1");
  std::ofstream(own.path() + "/gpg.conf") << "digest-algo SHA1\n";
  const auto signer = opened({.fingerprints = {key}, .home = own.path()});
  const auto signature = signer->sign(k_repomd, {});
  ASSERT_TRUE(signature.failed_with(ErrorKind::invalid));
  EXPECT_THAT(signature.error().text(), HasSubstr("uses the digest SHA1"));
}

TEST_F(GpgSignerTest, StopEndsIt) {
  const auto signer = opened(from_home({one}));
  std::stop_source stop;
  stop.request_stop();
  // Whatever comes first: it was signed already, or it was stopped.
  const auto signature = signer->sign(k_repomd, stop.get_token());
  EXPECT_TRUE(signature.ok() || signature.failed_with(ErrorKind::cancelled)) << signature.error().text();
}

class CommandSignerTest : public GpgSignerTest {
protected:
  static std::vector<std::string> gpg(const std::string& key, std::vector<std::string> more = {}) {
    std::vector<std::string> words{"gpg", "--homedir", home->path(), "--batch", "--armor", "--local-user", key};
    words.insert(words.end(), more.begin(), more.end());
    words.insert(words.end(), {"--detach-sign", "--output", "-"});
    return words;
  }
  static Result<std::string> sign(std::vector<std::string> command, Duration deadline = std::chrono::minutes(1)) {
    auto signer = CommandSigner::open(
        {.command = std::move(command), .public_keys = home->public_key(one), .deadline = deadline});
    if (!signer) return std::move(signer).error();
    return (*signer)->sign(k_repomd, {});
  }
  static std::string refusal(const Result<std::string>& signature, ErrorKind kind) {
    EXPECT_TRUE(signature.failed_with(kind)) << (signature ? "signed" : signature.error().text());
    return signature ? "" : signature.error().text();
  }
};

TEST_F(CommandSignerTest, WhatAProgramWritesIsChecked) {
  EXPECT_TRUE(sign(gpg(one)).ok());
  EXPECT_THAT(refusal(sign(gpg(two)), ErrorKind::invalid), HasSubstr("a signature that is refused"));
  EXPECT_THAT(refusal(sign(gpg(one, {"--digest-algo", "SHA1"})), ErrorKind::invalid), HasSubstr("SHA1"));
  EXPECT_THAT(refusal(sign({"echo", "hello"}), ErrorKind::invalid), HasSubstr("no armored signature"));
  EXPECT_THAT(refusal(sign({"yes"}), ErrorKind::invalid), HasSubstr("writes more than"));
}

TEST_F(CommandSignerTest, ItsComplaintsAreShownWithoutSecrets) {
  ::setenv("SAMPLE_KMS_TOKEN", "hunter2hunter2", 1);
  const auto signature = sign({"sh", "-c", "echo \"no access with $SAMPLE_KMS_TOKEN\" >&2; exit 7"});
  ::unsetenv("SAMPLE_KMS_TOKEN");
  EXPECT_EQ(refusal(signature, ErrorKind::io),
            "sign_command: 'sh' ends with exit code 7; it says: no access with (hidden)");
}

TEST_F(CommandSignerTest, ItsTimeIsLimited) {
  EXPECT_THAT(refusal(sign({"sleep", "1000"}, std::chrono::seconds(10)), ErrorKind::timed_out),
              HasSubstr("did not end in"));
}

TEST_F(CommandSignerTest, PublicKeysHaveToBeThat) {
  const auto open = [](const std::string& keys, std::vector<std::string> fingerprints = {}) {
    const auto signer = CommandSigner::open({.public_keys = keys, .fingerprints = std::move(fingerprints)});
    return signer ? std::string() : signer.error().text();
  };
  EXPECT_THAT(open(home->secret_key(one)), HasSubstr("secret key"));
  EXPECT_THAT(open("hello"), HasSubstr("no armored public key"));
  EXPECT_THAT(open(home->public_key(one), {two}), HasSubstr("is not among the public keys"));
  EXPECT_EQ(open(home->public_key(one) + home->public_key(two), {two}), "");
}

// Only to verify with.
TEST_F(CommandSignerTest, WithoutAProgramItChecksAndDoesNotSign) {
  const auto signer = CommandSigner::open({.public_keys = home->public_key(one)});
  ASSERT_TRUE(signer.ok());
  EXPECT_TRUE((*signer)->check(k_repomd, *sign(gpg(one))).ok());
  EXPECT_TRUE((*signer)->sign(k_repomd, {}).failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
