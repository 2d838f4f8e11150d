// SPDX-License-Identifier: Apache-2.0
#include "io/s3_probe.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>

#include "base/hash.hpp"
#include "io/s3_store.hpp"
#include "io/sample_sender.hpp"
#include "testkit/fake_clock.hpp"
#include "testkit/loopback_server.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using enum ProbeAnswer;
using testing::Each;
using testing::IsEmpty;
using testing::StartsWith;

struct Case {
  const char* store;
  ProbeAnswers answers;
  StoreAbilities abilities;
};

// Seen of the stores named, or told by their documentation.
const Case k_cases[] = {
    {"AWS, MinIO, R2",
     {accepted, condition_failed, condition_failed, accepted, {}, {}, condition_failed},
     {Condition::honoured, Condition::honoured, false, Condition::honoured}},
    {"Ceph RGW 16: ETags without quotes; looks at no condition at the end of an upload",
     {accepted, condition_failed, condition_failed, condition_failed, condition_failed, accepted, accepted},
     {Condition::honoured, Condition::honoured, true, Condition::ignored}},
    {"SeaweedFS 3.96: ignores everything",
     {accepted, accepted, accepted, accepted, {}, {}, accepted},
     {Condition::ignored, Condition::ignored, false, Condition::ignored}},
    {"Swift, B2: 501",
     {refused, {}, refused, {}, {}, {}, refused},
     {Condition::refused, Condition::refused, false, Condition::refused}},
    {"creates only",
     {accepted, condition_failed, accepted, accepted, {}, {}, condition_failed},
     {Condition::honoured, Condition::ignored, false, Condition::honoured}},
    {"replaces only",
     {accepted, accepted, condition_failed, accepted, {}, {}, accepted},
     {Condition::ignored, Condition::honoured, false, Condition::ignored}},
    {"no ETag is ever right",
     {accepted, condition_failed, condition_failed, condition_failed, condition_failed, condition_failed, accepted},
     {Condition::honoured, Condition::never_met, false, Condition::ignored}},
    {"a bare ETag is no ETag, and therefore not looked at",
     {accepted, condition_failed, condition_failed, condition_failed, accepted, accepted, condition_failed},
     {Condition::honoured, Condition::never_met, false, Condition::honoured}},
    {"a bare ETag is a bad request",
     {accepted, condition_failed, condition_failed, condition_failed, refused, refused, condition_failed},
     {Condition::honoured, Condition::never_met, false, Condition::honoured}},
    {"nothing can be created under a condition",
     {condition_failed, condition_failed, condition_failed, accepted, {}, {}, condition_failed},
     {Condition::never_met, Condition::honoured, false, Condition::honoured}},
};

TEST(S3Probe, VerdictFollowsFromTheAnswers) {
  for (const Case& row : k_cases) EXPECT_EQ(judge(row.answers), row.abilities) << row.store;
}

TEST(S3Probe, CompareAndSwapNeedsBothConditions) {
  std::vector<std::string> with;
  for (const Case& row : k_cases)
    if (row.abilities.has_compare_and_swap()) with.emplace_back(row.store);
  EXPECT_THAT(with, testing::ElementsAre(StartsWith("AWS"), StartsWith("Ceph")));
}

// A store in a few lines, with the manners that a test gives it.
struct Manners {
  int failed = 412;      // the answer to a condition that does not hold
  bool refuses = false;  // 501
  bool ignores = false;
  bool wants_bare_etags = false;
  int put_status = 200;  // of every PUT
};

class SmallStore {
public:
  explicit SmallStore(Manners manners) : m_manners(manners) {}

  WireAnswer respond(const WireRequest& request) {
    const std::string key = request.target.substr(0, request.target.find('?'));
    if (request.method == "POST" && request.target.ends_with("?uploads="))
      return answer(200, {}, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>");
    if (request.method == "DELETE") {
      if (request.target.find("uploadId") == std::string::npos) m_objects.erase(key);
      return answer(204);
    }
    if (request.method == "PUT" && m_manners.put_status != 200) return answer(m_manners.put_status);
    if (const int refusal = condition(request, key)) return answer(refusal);
    if (request.method == "POST")
      return answer(200, {}, "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>");
    if (request.target.find("partNumber") == std::string::npos) m_objects[key] = sha256_hex(request.body);
    return answer(200, {{"ETag", '"' + sha256_hex(request.body) + '"'}, {"Date", "Sat, 31 Jan 2026 23:59:59 GMT"}});
  }

  std::map<std::string, std::string> m_objects;  // key -> ETag

private:
  int condition(const WireRequest& request, const std::string& key) const {
    const std::string create = request.header("if-none-match"), replace = request.header("if-match");
    if ((create.empty() && replace.empty()) || m_manners.ignores) return 0;
    if (m_manners.refuses) return 501;
    const auto found = m_objects.find(key);
    if (!create.empty()) return found == m_objects.end() ? 0 : m_manners.failed;
    const std::string etag = found == m_objects.end() ? "" : found->second;
    return replace == (m_manners.wants_bare_etags ? etag : '"' + etag + '"') ? 0 : m_manners.failed;
  }

  Manners m_manners;
};

class S3AbilitiesTest : public SampleSender {
protected:
  void serve(Manners manners) {
    m_small = std::make_unique<SmallStore>(manners);
    m_server =
        std::make_unique<LoopbackServer>([this](const WireRequest& request, int) { return m_small->respond(request); });
    open();
  }
  void open() {  // as another process would
    S3StoreOptions options;
    options.bucket = "b";
    options.endpoint_url = m_server->url();
    options.stop = m_stop.get_token();
    options.abilities = {&m_files, [this](const StoreAbilities&) { ++m_learnt; }};
    auto opened = S3Store::open(std::move(options), m_sender);
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    m_store = *std::move(opened);
  }
  StoreAbilities abilities() {
    const auto found = m_store->abilities("r/");
    EXPECT_TRUE(found.ok()) << found.error().text();
    return found.ok() ? *found : StoreAbilities{};
  }
  std::size_t requests() const { return m_server->requests().size(); }

  ScratchDirectory m_directory;
  AbilityFiles m_files{m_directory.path(), m_clock};
  int m_learnt = 0;
  std::stop_source m_stop;
  std::unique_ptr<SmallStore> m_small;
  std::unique_ptr<LoopbackServer> m_server;
  std::unique_ptr<S3Store> m_store;
};

TEST_F(S3AbilitiesTest, AreProbedBelowRepodataAndNothingIsLeft) {
  serve({});
  EXPECT_EQ(abilities(), (StoreAbilities{}));
  std::vector<std::string> targets;
  for (const WireRequest& request : m_server->requests()) targets.push_back(request.target);
  EXPECT_THAT(targets, Each(StartsWith("/b/r/repodata/.repoupdate/probe-")));
  EXPECT_THAT(m_small->m_objects, IsEmpty());
}

TEST_F(S3AbilitiesTest, AreSeenOfEachKindOfStore) {
  serve({.failed = 304});
  EXPECT_EQ(abilities(), (StoreAbilities{}));
  serve({.wants_bare_etags = true});
  EXPECT_EQ(abilities(), (StoreAbilities{Condition::honoured, Condition::honoured, true, Condition::honoured}));
  serve({.ignores = true});
  EXPECT_EQ(abilities(), (StoreAbilities{Condition::ignored, Condition::ignored, false, Condition::ignored}));
  serve({.refuses = true});
  EXPECT_EQ(abilities(), (StoreAbilities{Condition::refused, Condition::refused, false, Condition::refused}));
}

TEST_F(S3AbilitiesTest, AreFoundOutOnceAProcessAndOnceAWeek) {
  serve({.ignores = true});
  abilities();
  const std::size_t probe = requests();
  abilities();
  EXPECT_EQ(requests(), probe);
  EXPECT_EQ(m_learnt, 1);

  open();
  EXPECT_EQ(abilities().create, Condition::ignored);
  EXPECT_EQ(requests(), probe);
  EXPECT_EQ(m_learnt, 2);

  m_clock.advance(k_abilities_believed + std::chrono::hours(1));
  open();
  abilities();
  EXPECT_EQ(requests(), 2 * probe);
}

// A known spelling of ETags spares the first publication the try with the wrong one.
TEST_F(S3AbilitiesTest, TellHowEtagsAreSpelled) {
  serve({.wants_bare_etags = true});
  abilities();
  open();
  abilities();
  const auto stored = m_store->put("k", "one", {});
  ASSERT_TRUE(stored.ok());
  const std::size_t before = requests();
  PutOptions replace;
  replace.if_match = stored->etag;
  EXPECT_TRUE(m_store->put("k", "two", replace).ok());
  EXPECT_EQ(m_server->requests().at(before).header("if-match").front(), sha256_hex("one").front());
}

// The first PUT is done but answered 500, so its repetition finds the object there: that is tried from the beginning.
TEST_F(S3AbilitiesTest, LostAnswerIsNoVerdict) {
  m_small = std::make_unique<SmallStore>(Manners{});
  m_server = std::make_unique<LoopbackServer>([this, lost = false](const WireRequest& request, int) mutable {
    const auto done = m_small->respond(request);
    return request.method == "PUT" && !std::exchange(lost, true) ? answer(500) : done;
  });
  open();
  EXPECT_EQ(abilities(), (StoreAbilities{}));
  EXPECT_THAT(m_small->m_objects, IsEmpty());
}

TEST_F(S3AbilitiesTest, FailureIsNoVerdict) {
  for (const int status : {403, 400}) {
    serve({.put_status = status});
    EXPECT_FALSE(m_store->abilities("r/").ok()) << status;
    const std::size_t before = requests();
    EXPECT_FALSE(m_store->abilities("r/").ok()) << status;
    EXPECT_GT(requests(), before) << status;
    EXPECT_EQ(m_learnt, 0);
  }
}

// A busy moment must not be taken for what the store is, for a week.
TEST_F(S3AbilitiesTest, UploadInPartsThatFailsJustNowIsNoVerdict) {
  const std::vector<std::function<bool(const WireRequest&)>> faults = {
      [](const WireRequest& request) { return request.target.ends_with("?uploads="); },
      [](const WireRequest& request) { return request.target.find("partNumber") != std::string::npos; },
      [](const WireRequest& request) {
        return request.method == "POST" && request.target.find("uploadId") != std::string::npos;
      }};
  for (const auto& is_faulty : faults) {
    bool is_busy = true;
    m_small = std::make_unique<SmallStore>(Manners{});
    m_server = std::make_unique<LoopbackServer>([&](const WireRequest& request, int) {
      return is_busy && is_faulty(request) ? answer(429) : m_small->respond(request);
    });
    open();
    EXPECT_TRUE(m_store->abilities("r/").failed_with(ErrorKind::throttled));
    EXPECT_EQ(m_learnt, 0);
    EXPECT_THAT(m_small->m_objects, IsEmpty());
    is_busy = false;
    EXPECT_EQ(abilities(), (StoreAbilities{}));
    std::filesystem::remove_all(m_directory.path());
    std::filesystem::create_directories(m_directory.path());
    m_learnt = 0;
  }
}

TEST_F(S3AbilitiesTest, StoppedProbeRemovesItsObject) {
  m_small = std::make_unique<SmallStore>(Manners{});
  m_server = std::make_unique<LoopbackServer>([&](const WireRequest& request, int number) {
    if (number == 3) m_stop.request_stop();
    return m_small->respond(request);
  });
  open();
  EXPECT_TRUE(m_store->abilities("r/").failed_with(ErrorKind::cancelled));
  EXPECT_THAT(m_small->m_objects, IsEmpty());
  EXPECT_EQ(m_learnt, 0);
}

TEST(S3Abilities, AreNotProbedOnAws) {
  HttpClient http{HttpClientOptions{}};
  FakeClock clock;
  CredentialsProvider credentials{[](const std::string&) { return std::string(); }, "", http, clock};
  AwsSender sender{http, credentials, clock};
  S3StoreOptions options;
  options.bucket = "b";
  options.region = "eu-central-1";
  const auto store = S3Store::open(std::move(options), sender);
  ASSERT_TRUE(store.ok());
  const auto found = (*store)->abilities("r/");
  ASSERT_TRUE(found.ok()) << found.error().text();
  EXPECT_EQ(*found, StoreAbilities{});
}

}  // namespace
}  // namespace repoupdate
