// SPDX-License-Identifier: Apache-2.0
// The pair of repomd.xml and its signature, in stores with conditional writes and without.
#include "sync/signature.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <thread>

#include "sync/sample_update.hpp"
#include "testkit/fake_signer.hpp"

namespace repoupdate {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string k_pointer = "r/repodata/repomd.xml";
const std::string k_signature = "r/repodata/repomd.xml.asc";
const std::string k_keys = "r/repodata/repomd.xml.key";

class SignatureTest : public UpdateTest {
protected:
  SignatureTest() {
    repository.signer = &signer;
    repository.policy.lease = {.length = std::chrono::seconds(30), .settle = Duration(50), .who = "test"};
  }
  bool agrees() {
    const auto contents = store.contents();
    if (!contents.contains(k_signature)) return false;
    return signer.check(contents.at(k_pointer).bytes, contents.at(k_signature).bytes).ok();
  }
  std::size_t count(const std::string& request) { return std::ranges::count(store.requests(), request); }
  std::vector<std::string> put_keys() {
    std::vector<std::string> keys;
    for (const auto& request : store.requests())
      if (request.starts_with("PUT r/repodata/") && !request.ends_with(".json")) keys.push_back(request.substr(4));
    return keys;
  }
  // As a daemon that has published before.
  void remember() {
    repository.memory = &memory;
    place("0.rpm", "0");
    run(keys({"0.rpm"}));
    store.forget_requests();
  }
  // Runs once, right before the n-th of such requests.
  void at(const std::string& request, int n, std::function<void()> world) {
    store.before = [=, this, seen = 0, done = false](const std::string& now) mutable -> Result<void> {
      if (now != request || done || ++seen < n) return {};
      done = true;
      world();
      return {};
    };
  }
  // Another writer, with the same key, who publishes a package of its own.
  void publish_as_another(const std::string& name) {
    Repository other = repository;
    other.memory = nullptr;
    place(name + ".rpm", name);
    EXPECT_TRUE(update(other, keys({name + ".rpm"}), clock, {}).ok());
  }

  FakeSigner signer;
  RepositoryMemory memory{MemoryLimits{}};
};

TEST_F(SignatureTest, SignatureComesRightAfterThePointerAndTheKeysBefore) {
  place("a.rpm", "a");
  store.forget_requests();
  run(keys({"a.rpm"}));
  const auto put = put_keys();
  ASSERT_EQ(put.size(), 6u);
  EXPECT_EQ(put[4], k_pointer);
  EXPECT_EQ(put[5], k_signature);
  EXPECT_THAT(put, Contains(k_keys));
  const auto contents = store.contents();
  EXPECT_EQ(contents.at(k_keys).bytes, signer.public_keys());
  EXPECT_EQ(contents.at(k_signature).options.cache_control, "no-cache");
  EXPECT_EQ(contents.at(k_signature).options.content_type, "application/pgp-signature");
  EXPECT_EQ(contents.at(k_keys).options.cache_control, "no-cache");
  EXPECT_EQ(contents.at(k_keys).options.content_type, "application/pgp-keys");
  EXPECT_TRUE(agrees());
  expect_sound();
}

TEST_F(SignatureTest, WhatCannotBeSignedIsNotPut) {
  place("a.rpm", "a");
  store.forget_requests();
  signer.before = []() -> Result<void> { return Error{ErrorKind::invalid, "the key has expired", {}}; };
  const auto report = update(repository, keys({"a.rpm"}), clock, {});
  ASSERT_TRUE(report.failed_with(ErrorKind::invalid));
  EXPECT_THAT(report.error().text(), HasSubstr("s3://b/r: repomd.xml cannot be signed: the key has expired"));
  EXPECT_EQ(puts(), 0u);
}

TEST_F(SignatureTest, AWarmPublicationCostsOnePutAndOneGetMore) {
  remember();
  place("b.rpm", "b");
  run(keys({"b.rpm"}));
  EXPECT_EQ(store.requests().size(), 9u);
  EXPECT_EQ(count("PUT " + k_signature), 1u);
  EXPECT_EQ(count("GET " + k_pointer), 2u);
  store.forget_requests();
  EXPECT_FALSE(run({}).published);
  EXPECT_THAT(store.requests(), ElementsAre("GET " + k_pointer));
}

TEST_F(SignatureTest, PublicKeysArePutWhenTheyDiffer) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  for (const bool differs : {false, true}) {
    if (differs) store.place(k_keys, "somebody's", k_uploaded);
    place(differs ? "c.rpm" : "b.rpm", differs ? "c" : "b");
    store.forget_requests();
    run(keys({differs ? "c.rpm" : "b.rpm"}));
    EXPECT_EQ(count("PUT " + k_keys), differs ? 1u : 0u);
    EXPECT_EQ(store.contents().at(k_keys).bytes, signer.public_keys());
  }
}

// The new repository may be there; who has lost does not say so.
TEST_F(SignatureTest, WhoHasLostTheRacePutsNoSignature) {
  place("a.rpm", "a");
  store.forget_requests();
  at("PUT " + k_pointer, 1, [&] { publish_as_another("b"); });
  std::vector<std::string> order;
  const auto report = run(keys({"a.rpm"}));
  EXPECT_EQ(report.lost_races, 1);
  for (const auto& request : store.requests())
    if (request.starts_with("PUT " + k_pointer)) order.push_back(request.substr(4));
  // Ours in vain, the other's pair, ours again.
  std::erase(order, k_keys);
  EXPECT_THAT(order, ElementsAre(k_pointer, k_pointer, k_signature, k_pointer, k_signature));
  EXPECT_TRUE(agrees());
  EXPECT_EQ(listed().size(), 2u);
}

// The other's signature is overwritten by ours of an older repomd.xml; then it is seen.
TEST_F(SignatureTest, WriterWhoWinsBetweenPointerAndSignatureIsSignedToo) {
  place("a.rpm", "a");
  at("PUT " + k_signature, 1, [&] { publish_as_another("b"); });
  run(keys({"a.rpm"}));
  EXPECT_TRUE(agrees());
  EXPECT_EQ(count("PUT " + k_signature), 3u) << "the other's, ours too late, and what is there";
  EXPECT_EQ(listed().size(), 2u);
  expect_sound();
}

TEST_F(SignatureTest, WriterWhoWinsBetweenSignatureAndTheLookIsSignedToo) {
  place("a.rpm", "a");
  at("GET " + k_pointer, 2, [&] { publish_as_another("b"); });
  run(keys({"a.rpm"}));
  EXPECT_TRUE(agrees());
  EXPECT_EQ(listed().size(), 2u);
}

// One that signs nothing, as createrepo_c and an upload.
TEST_F(SignatureTest, ForeignWriterMeanwhileIsSigned) {
  place("a.rpm", "a");
  const std::string foreign = store.contents().at(k_pointer).bytes;
  at("PUT " + k_signature, 1, [&] { store.place(k_pointer, foreign, k_uploaded); });
  run(keys({"a.rpm"}));
  EXPECT_EQ(store.contents().at(k_pointer).bytes, foreign);
  EXPECT_TRUE(agrees());
}

TEST_F(SignatureTest, RubbishIsNotSigned) {
  place("a.rpm", "a");
  at("PUT " + k_signature, 1, [&] { store.place(k_pointer, "<html>404</html>", k_uploaded); });
  const auto report = update(repository, keys({"a.rpm"}), clock, {});
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(report.error().text(), HasSubstr("not signed"));
  EXPECT_EQ(signer.signatures(), 1);
}

TEST_F(SignatureTest, WritersWhoNeverRestEndIt) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  const std::string foreign = store.contents().at(k_pointer).bytes;
  place("b.rpm", "b");
  store.before = [&, lines = std::size_t{0}](const std::string& request) mutable -> Result<void> {
    if (request == "PUT " + k_signature) store.place(k_pointer, foreign + std::string(++lines, '\n'), k_uploaded);
    return {};
  };
  store.forget_requests();
  const auto report = update(repository, keys({"b.rpm"}), clock, {});
  EXPECT_TRUE(report.failed_with(ErrorKind::conflict));
  EXPECT_EQ(count("PUT " + k_signature), 8u);
}

// The messages are kept, and whoever comes next has nothing to publish and puts the signature.
TEST_F(SignatureTest, SignatureThatCouldNotBePutIsPutByTheNextUpdate) {
  for (const bool remembers : {false, true}) {
    repository.memory = remembers ? &memory : nullptr;
    const std::string name = remembers ? "b" : "a";
    place(name + ".rpm", name);
    store.before = [&](const std::string& request) -> Result<void> {
      if (request == "PUT " + k_signature) return Error{ErrorKind::unavailable, "500", {}};
      return {};
    };
    const auto failed = update(repository, keys({name + ".rpm"}), clock, {});
    ASSERT_TRUE(failed.failed_with(ErrorKind::unavailable));
    EXPECT_THAT(failed.error().text(), HasSubstr("repomd.xml is published, its signature not yet"));
    EXPECT_FALSE(agrees());
    store.before = nullptr;
    const auto report = run(keys({name + ".rpm"}));
    EXPECT_FALSE(report.published);
    EXPECT_TRUE(report.signed_anew);
    EXPECT_TRUE(agrees());
    expect_sound();
  }
}

TEST_F(SignatureTest, LookThatFailsAfterwardsIsAnErrorToo) {
  place("a.rpm", "a");
  int gets = 0;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "GET " + k_pointer && ++gets == 2) return Error{ErrorKind::timed_out, "no answer", {}};
    return {};
  };
  EXPECT_TRUE(update(repository, keys({"a.rpm"}), clock, {}).failed_with(ErrorKind::timed_out));
  EXPECT_FALSE(run(keys({"a.rpm"})).signed_anew) << "it was there all the same";
  EXPECT_TRUE(agrees());
}

TEST_F(SignatureTest, PairThatDisagreesIsRepairedByAnUpdateThatHasNothingElseToDo) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  const auto good = store.contents().at(k_signature).bytes;
  const std::vector<std::optional<std::string>> bad{std::nullopt, "", "one 0123\n", std::string(1 << 20, 'x')};
  for (const auto& bytes : bad) {
    bytes ? void(store.place(k_signature, *bytes, k_uploaded)) : store.drop(k_signature);
    const auto report = run({});
    EXPECT_FALSE(report.published);
    EXPECT_TRUE(report.signed_anew);
    EXPECT_EQ(store.contents().at(k_signature).bytes, good);
    EXPECT_FALSE(run({}).signed_anew);
  }
}

TEST_F(SignatureTest, DryRunRepairsNothing) {
  store.forget_requests();
  UpdateRequest request;
  request.dry_run = true;
  EXPECT_FALSE(run(request).signed_anew);
  EXPECT_EQ(puts(), 0u);
}

// A repository that was there before the key was.
TEST_F(SignatureTest, FirstUpdateSignsARepositoryThatIsThere) {
  store.forget_requests();
  EXPECT_TRUE(run({}).signed_anew);
  EXPECT_THAT(put_keys(), ElementsAre(k_keys, k_signature));
  EXPECT_TRUE(agrees());
}

TEST_F(SignatureTest, PairIsLookedAtOnceInAProcess) {
  run({});
  repository.memory = &memory;
  store.forget_requests();
  run({});
  EXPECT_EQ(count("GET " + k_signature), 1u);
  store.forget_requests();
  run({});
  EXPECT_EQ(count("GET " + k_signature), 0u);
  EXPECT_EQ(count("GET " + k_keys), 0u);
}

// A listing is at hand there anyway, and tells whether the signature is the one that was seen.
TEST_F(SignatureTest, ComparisonWithTheListingNoticesAnotherSignature) {
  remember();
  UpdateRequest poll;
  poll.reconcile = true;
  EXPECT_FALSE(run(poll).signed_anew);
  EXPECT_EQ(count("GET " + k_signature), 0u);
  store.place(k_signature, "one stale\n", k_uploaded);
  EXPECT_TRUE(run(poll).signed_anew);
  EXPECT_TRUE(agrees());
  store.drop(k_signature);
  EXPECT_TRUE(run(poll).signed_anew);
  EXPECT_TRUE(agrees());
}

// During a rotation: who signs with both is content with nothing less, who has one key only with both.
TEST_F(SignatureTest, EachKeyHasToHaveSigned) {
  FakeSigner both({"one", "two"});
  run({});
  repository.signer = &both;
  EXPECT_TRUE(run({}).signed_anew);
  EXPECT_THAT(store.contents().at(k_keys).bytes, HasSubstr("public two"));
  repository.signer = &signer;
  store.forget_requests();
  EXPECT_FALSE(run({}).signed_anew);
  EXPECT_EQ(count("PUT " + k_signature), 0u);
}

// Nobody who has no key leaves a signature behind that does not fit.
TEST_F(SignatureTest, SignedRepositoryIsNotPublishedUnsigned) {
  run({});
  repository.signer = nullptr;
  place("a.rpm", "a");
  for (const bool remembers : {false, true}) {
    repository.memory = remembers ? &memory : nullptr;
    store.forget_requests();
    const auto report = update(repository, keys({"a.rpm"}), clock, {});
    ASSERT_TRUE(report.failed_with(ErrorKind::invalid));
    EXPECT_THAT(report.error().text(), HasSubstr("Set sign_key, sign_key_file or sign_command"));
    EXPECT_EQ(count("PUT " + k_pointer), 0u);
  }
  EXPECT_FALSE(run(keys({"never-there.rpm"})).published) << "as long as nothing is published, all is well";
  store.drop(k_signature);
  EXPECT_TRUE(run(keys({"a.rpm"})).published);
}

TEST_F(SignatureTest, NewRepositoryBesideAnOldSignatureIsRefusedToo) {
  run({});
  repository.signer = nullptr;
  store.drop(k_pointer);
  EXPECT_TRUE(create_repository(repository, clock).failed_with(ErrorKind::invalid));
  EXPECT_FALSE(store.contents().contains(k_pointer));
}

// Whoever may not look does not guess.
TEST_F(SignatureTest, DeniedLookForASignatureIsNoAbsence) {
  repository.signer = nullptr;
  place("a.rpm", "a");
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "HEAD " + k_signature) return Error{ErrorKind::denied, "403", {}};
    return {};
  };
  EXPECT_TRUE(update(repository, keys({"a.rpm"}), clock, {}).failed_with(ErrorKind::denied));
}

// The HEAD is spared where a listing has told, and for as long as nobody else publishes.
TEST_F(SignatureTest, UnsignedDaemonLooksForASignatureWhenOthersHavePublished) {
  repository.signer = nullptr;
  repository.memory = &memory;
  UpdateRequest poll;
  poll.reconcile = true;
  run(poll);
  store.forget_requests();
  for (const char* name : {"a", "b"}) {
    place(std::string(name) + ".rpm", name);
    run(keys({std::string(name) + ".rpm"}));
  }
  EXPECT_EQ(count("HEAD " + k_signature), 0u);
  repository.signer = &signer;
  publish_as_another("c");
  repository.signer = nullptr;
  place("d.rpm", "d");
  EXPECT_TRUE(update(repository, keys({"d.rpm"}), clock, {}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(agrees());
}

TEST_F(SignatureTest, VerifyLooksAtThePair) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  const auto problems = [&] {
    const auto outcome = verify(repository, false, {});
    EXPECT_TRUE(outcome.ok());
    return outcome ? outcome->problems : std::vector<VerifyProblem>{};
  };
  EXPECT_THAT(problems(), IsEmpty());
  store.place(k_signature, "one stale\n", k_uploaded);
  EXPECT_THAT(problems(), ElementsAre(VerifyProblem{"repodata/repomd.xml.asc", "no good signature by one"}));
  store.drop(k_signature);
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_THAT(problems()[0].what, HasSubstr("is not there"));
  repository.signer = nullptr;
  EXPECT_THAT(problems(), IsEmpty());
  store.place(k_signature, "one stale\n", k_uploaded);
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_THAT(problems()[0].what, HasSubstr("no key is configured"));
}

// Between repomd.xml and its signature lies a moment.
TEST_F(SignatureTest, VerifyForgivesThePairOfAWriterWhoIsNotDoneYet) {
  place("a.rpm", "a");
  run(keys({"a.rpm"}));
  const auto good = store.contents().at(k_signature).bytes;
  store.place(k_signature, "one stale\n", k_uploaded);
  at("LIST r/", 1, [&] { store.place(k_signature, good, k_uploaded); });
  expect_sound();
}

class SignatureRaceTest : public SignatureTest, public testing::WithParamInterface<Condition> {};

INSTANTIATE_TEST_SUITE_P(Stores, SignatureRaceTest, testing::Values(Condition::honoured, Condition::ignored),
                         [](const auto& store) { return std::string(to_string(store.param)); });

TEST_P(SignatureRaceTest, WritersAtTheSameTimeEndWithAGoodPair) {
  constexpr int k_writers = 3, k_packages = 3;
  store.set_conditions(GetParam());
  SystemClock real;
  std::vector<std::string> all;
  for (int i = 0; i < k_writers * k_packages; ++i) {
    all.push_back(std::to_string(i) + ".rpm");
    place(all.back(), "p" + std::to_string(i));
  }
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < k_writers; ++writer)
      writers.emplace_back([&, writer] {
        for (int i = 0; i < k_packages; ++i) {
          const auto report = update(repository, keys({all[writer * k_packages + i]}), real, {});
          EXPECT_TRUE(report.ok()) << report.error().text();
        }
      });
  }
  EXPECT_EQ(listed().size(), all.size());
  EXPECT_TRUE(agrees());
  expect_sound();
}

}  // namespace
}  // namespace repoupdate
