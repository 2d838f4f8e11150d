// SPDX-License-Identifier: Apache-2.0
#include "app/health.hpp"

#include <gmock/gmock.h>

#include "testkit/fake_clock.hpp"

namespace repoupdate {
namespace {

using Kind = Health::Kind;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class HealthTest : public testing::Test {
protected:
  HealthTest() { health.begin("starting", minutes(10)); }
  FakeClock clock;
  Health health{clock};
};

TEST_F(HealthTest, OnlyAThreadThatGetsNoFurtherIsStuck) {
  const auto worker = health.add_thread("worker 1"), other = health.add_thread("worker 2");
  health.works(worker, "s3://b/r: load");
  clock.advance(minutes(9));
  health.works(worker, "s3://b/r: prove");
  clock.advance(minutes(9));
  EXPECT_THAT(health.why_not_alive(), IsEmpty()) << "it got further, and the other one rests";
  clock.advance(minutes(2));
  ASSERT_THAT(health.why_not_alive(), SizeIs(1));
  EXPECT_EQ(health.why_not_alive()[0].name, "worker 1");
  EXPECT_EQ(health.why_not_alive()[0].text, "stuck for 660 s at s3://b/r: prove");
  health.gets_further(worker);
  EXPECT_THAT(health.why_not_alive(), IsEmpty());
  health.rests(worker);
  health.works(other, "x");
  EXPECT_THAT(health.why_not_alive(), IsEmpty());
}

TEST_F(HealthTest, ALongPollIsNotStuckBeforeItsTime) {
  const auto receiver = health.add_thread("receiver 1");
  health.works(receiver, "receive", minutes(5));
  clock.advance(minutes(14));
  EXPECT_THAT(health.why_not_alive(), IsEmpty());
  clock.advance(minutes(2));
  EXPECT_THAT(health.why_not_alive(), SizeIs(1));
}

TEST_F(HealthTest, ReadyMeansStartedAndEverythingWasSeenWell) {
  health.expect(Kind::repository, "s3://b/r");
  health.expect(Kind::source, "sqs://q");
  EXPECT_THAT(health.why_not_ready(), SizeIs(3));
  health.started();
  health.well(Kind::repository, "s3://b/r");
  ASSERT_THAT(health.why_not_ready(), SizeIs(1));
  EXPECT_EQ(health.why_not_ready()[0].text, "not looked at yet");
  health.well(Kind::source, "sqs://q");
  EXPECT_THAT(health.why_not_ready(), IsEmpty());
  health.fails(Kind::source, "sqs://q", "denied");
  EXPECT_EQ(health_json("ready", "not ready", health.why_not_ready()),
            "{\"status\":\"not ready\",\"reasons\":[{\"source\":\"sqs://q\",\"reason\":\"denied\"}]}\n");
  EXPECT_THAT(health.why_not_alive(), IsEmpty()) << "that is no reason to be killed";
  health.well(Kind::source, "sqs://q");
  EXPECT_EQ(health_json("ready", "not ready", health.why_not_ready()), "{\"status\":\"ready\"}\n");
}

TEST_F(HealthTest, WhoDoesNotAnswerIsNotReadyEvenBeforeTheFailureIsKnown) {
  health.started();
  health.well(Kind::source, "sqs://q");
  health.asked(Kind::source, "sqs://q", seconds(20));
  clock.advance(seconds(30));
  health.asked(Kind::source, "sqs://q", seconds(20));
  EXPECT_TRUE(health.is_well(Kind::source, "sqs://q")) << "a long poll takes its time";
  clock.advance(seconds(6));
  EXPECT_FALSE(health.is_well(Kind::source, "sqs://q"));
  EXPECT_THAT(health.why_not_ready().at(0).text, HasSubstr("no answer for 36 s"));
}

TEST_F(HealthTest, BeginningAnewForgetsWhatWasServedBefore) {
  health.started();
  health.works(health.add_thread("worker 1"), "x");
  health.fails(Kind::repository, "s3://old", "gone");
  clock.advance(minutes(20));
  health.begin("settings are read again", minutes(10));
  EXPECT_THAT(health.why_not_alive(), IsEmpty());
  ASSERT_THAT(health.why_not_ready(), SizeIs(1));
  EXPECT_EQ(health.why_not_ready()[0].text, "settings are read again");
}

TEST_F(HealthTest, WhatIsWellIsDueWhileSomebodyAsksAndWhatFailsUntilItIsWell) {
  const auto is_due = [&] { return health.is_due(Kind::store, "s3://b/r", seconds(15)); };
  EXPECT_FALSE(is_due());
  health.note_asker();
  EXPECT_TRUE(is_due()) << "nothing is known yet";
  health.well(Kind::store, "s3://b/r");
  clock.advance(seconds(14));
  EXPECT_FALSE(is_due());
  clock.advance(seconds(1));
  EXPECT_TRUE(is_due());
  clock.advance(k_asked_lately);
  EXPECT_FALSE(is_due()) << "nobody wants to know";
  health.fails(Kind::store, "s3://b/r", "unavailable");
  EXPECT_FALSE(is_due());
  clock.advance(seconds(15));
  EXPECT_TRUE(is_due()) << "or it would fail for ever";
  health.well(Kind::store, "s3://b/r");
  clock.advance(seconds(15));
  EXPECT_FALSE(is_due());
}

TEST(HealthJson, AnAnswerIsJsonWhateverTheReason) {
  EXPECT_EQ(health_json("y", "n", {{"repository", "a\"b", "line\nbreak"}}),
            "{\"status\":\"n\",\"reasons\":[{\"repository\":\"a\\\"b\",\"reason\":\"line\\u000abreak\"}]}\n");
}

}  // namespace
}  // namespace repoupdate
