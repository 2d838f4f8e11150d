// SPDX-License-Identifier: Apache-2.0
#include "app/inbox.hpp"

#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <set>

#include "testkit/fake_clock.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Ids = std::vector<std::string>;

constexpr Duration k_visibility{seconds(60)};

// Gives out what it is told to, and remembers what became of it.
class ScriptedSource final : public EventSource {
public:
  ScriptedSource(std::string name, Duration visibility) : m_name(std::move(name)), m_visibility(visibility) {}
  std::string name() const override { return m_name; }
  Duration visibility() const override { return m_visibility; }

  Result<std::vector<Delivery>> receive(Duration, std::stop_token stop) override {
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, stop, [this] { return !m_script.empty(); });
    if (m_script.empty()) return std::vector<Delivery>{};
    auto batch = std::move(m_script.front());
    m_script.pop_front();
    return batch;
  }
  Result<std::vector<Receipt>> acknowledge(std::span<const Receipt> receipts) override {
    const std::scoped_lock lock(m_mutex);
    m_acknowledged.push_back(ids(receipts));
    return std::vector<Receipt>{};
  }
  Result<void> extend(std::span<const Receipt> receipts, Duration duration) override {
    const std::scoped_lock lock(m_mutex);
    for (const auto& id : ids(receipts)) m_hidden[id].insert(duration);
    return {};
  }

  void give(std::vector<Delivery> batch) {
    const std::scoped_lock lock(m_mutex);
    m_script.push_back(std::move(batch));
    m_changed.notify_all();
  }
  // Requests to acknowledge, each with its message ids.
  std::vector<Ids> acknowledged() const {
    const std::scoped_lock lock(m_mutex);
    return m_acknowledged;
  }
  // For how long, of all the times: which was the last says little, as a keeper may be late with what it found due.
  std::set<Duration> hidden(const std::string& id) const {
    const std::scoped_lock lock(m_mutex);
    const auto found = m_hidden.find(id);
    return found == m_hidden.end() ? std::set<Duration>{} : found->second;
  }

private:
  static Ids ids(std::span<const Receipt> receipts) {
    Ids found;
    for (const auto& receipt : receipts) found.push_back(receipt.message_id + '/' + receipt.handle);
    return found;
  }
  const std::string m_name;
  const Duration m_visibility;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::deque<std::vector<Delivery>> m_script;
  std::vector<Ids> m_acknowledged;
  std::map<std::string, std::set<Duration>> m_hidden;
};

// An inbox with two queues and one repository, in a directory. Sleeps take no time and move the clock.
class InboxTest : public testing::Test {
protected:
  explicit InboxTest(Duration hidden = k_visibility) : visibility(hidden) {
    session.settings.daemon.open_messages = 200;  // 100 of each queue
    session.settings.daemon.receivers = 1;        // each may go beyond the bound by what it was just given
    renew_stores(session);
    EXPECT_TRUE(board.add({RepositorySettings{.url = directory.path()}}, Directory::must_exist));
    source = add("scripted");
    other = add("other");
    inbox.start(threads, stop.get_token());
  }
  ~InboxTest() override { stop.request_stop(); }

  ScriptedSource* add(const std::string& name) {
    auto owned = std::make_unique<ScriptedSource>(name, visibility);
    auto* added = owned.get();
    EXPECT_TRUE(inbox.add(std::move(owned)));
    return added;
  }
  Delivery about(const std::string& id, const std::string& key, const std::string& handle = "h",
                 const std::string& queue = "scripted") const {
    return {Receipt{queue, id, handle}, {Event{directory.path(), key, key}}, {}, {}, 1};
  }
  static Delivery poison(const std::string& id, int receives, bool has_dead_letter_queue = false) {
    return {Receipt{"scripted", id, "h"}, {}, "not understood", "'{'", receives, has_dead_letter_queue};
  }
  // Returns when all of it is in the work list: before that a window could end in the middle of it.
  void give_whole(std::vector<Delivery> batch) {
    batch.push_back(about("last", "README"));  // names nothing: acknowledged at once
    source->give(std::move(batch));
    EXPECT_TRUE(soon([&] { return !source->acknowledged().empty(); }));
  }
  template <typename Condition>
  static bool soon(const Condition& condition) {
    for (int i = 0; i < 10'000 && !condition(); ++i) std::this_thread::sleep_for(Duration(1));
    return condition();
  }

  const Duration visibility;
  ScratchDirectory directory;
  FakeClock clock;
  Log log;
  MetricTable metrics;
  Session session{{}, {}, clock, log, metrics, {}, {}, {}, {}, {}, {}, {}};
  WorkList work{clock, seconds(60), 4};
  RepositoryMemory memory{MemoryLimits{}};
  RepositoryBoard board{session, work, memory, std::nullopt};
  Health health{clock};
  Inbox inbox{session, board, work, health};
  ScriptedSource *source = nullptr, *other = nullptr;
  std::stop_source stop;
  std::vector<std::jthread> threads;  // last: ended first
};

// Semantics 9, I4.
TEST_F(InboxTest, PoisonIsHiddenForLongerEachTimeAndThenGivenUp) {
  source->give({poison("new", 1), poison("older", 3)});
  EXPECT_TRUE(soon([&] { return !source->hidden("older/h").empty(); }));
  EXPECT_THAT(source->hidden("new/h"), ElementsAre(minutes(1)));
  EXPECT_THAT(source->hidden("older/h"), ElementsAre(minutes(4)));
  EXPECT_THAT(source->acknowledged(), IsEmpty());
  source->give({poison("oldest", 5)});
  EXPECT_TRUE(soon([&] { return !source->acknowledged().empty(); }));
  EXPECT_THAT(source->acknowledged(), ElementsAre(Ids{"oldest/h"}));
  // It may have told of any package.
  const auto job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->batch.reconcile);
}

class PatientInboxTest : public InboxTest {
protected:
  PatientInboxTest() : InboxTest(std::chrono::hours(12)) {}
};

TEST_F(PatientInboxTest, PoisonThatIsGivenUpIsMadeGoodWithinTheHourHoweverLongMessagesStayHidden) {
  source->give({poison("oldest", 5)});
  const auto job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  EXPECT_TRUE(job->batch.reconcile);
  EXPECT_LE(clock.longest_sleep(), minutes(5));
}

TEST_F(InboxTest, PoisonIsLeftToTheQueuesOwnPolicy) {
  source->give({poison("old", 500, true)});
  source->give({about("good", "README")});
  EXPECT_TRUE(soon([&] { return !source->acknowledged().empty(); }));
  EXPECT_THAT(source->acknowledged(), ElementsAre(Ids{"good/h"}));
  EXPECT_THAT(source->hidden("old/h"), IsEmpty());
}

TEST_F(InboxTest, WhatNamesNothingIsAcknowledgedInOneRequest) {
  source->give({about("1", "README"), about("2", "repodata/x.rpm"), about("3", "folder/")});
  EXPECT_TRUE(soon([&] { return !source->acknowledged().empty(); }));
  EXPECT_THAT(source->acknowledged(), ElementsAre(Ids{"1/h", "2/h", "3/h"}));
}

// Semantics 7.
TEST_F(InboxTest, ARedeliveryRenewsTheHandleAndIsNoNewWork) {
  give_whole({about("1", "a.rpm", "old"), about("1", "a.rpm", "newest"), about("2", "a.rpm")});
  auto job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  const auto receipts = job->batch.changes.keys.at("a.rpm").receipts;
  EXPECT_EQ(receipts.size(), 2u);
  Ledger::Settled settled;
  inbox.settle(receipts, {board.repository(0).name, "a.rpm"}, Ledger::Outcome::done, settled);
  inbox.conclude(std::move(settled));
  EXPECT_THAT(source->acknowledged().back(), UnorderedElementsAre("1/newest", "2/h"));
}

TEST_F(InboxTest, OpenMessagesAreKeptHiddenAndBounded) {
  std::vector<Delivery> batch;
  for (int i = 0; i < 100; ++i) batch.push_back(about(std::to_string(i), "a.rpm"));
  source->give(std::move(batch));
  source->give({about("beyond", "b.rpm")});
  EXPECT_TRUE(soon([&] { return !source->hidden("99/h").empty(); }));
  EXPECT_THAT(source->hidden("99/h"), Each(k_visibility));
  EXPECT_TRUE(inbox.is_crowded("scripted"));
  EXPECT_FALSE(inbox.is_crowded("other"));
  auto job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  EXPECT_FALSE(job->batch.changes.keys.contains("b.rpm")) << "there is no room for it";

  // What is let go unacknowledged stays hidden for some minutes, and makes room.
  Ledger::Settled settled;
  inbox.settle(job->batch.changes.keys.at("a.rpm").receipts, {board.repository(0).name, "a.rpm"},
               Ledger::Outcome::postponed, settled);
  work.finish(*job, {});
  inbox.conclude(std::move(settled));
  EXPECT_THAT(source->hidden("0/h"), Contains(minutes(5)));
  EXPECT_THAT(source->acknowledged(), IsEmpty());
  // Behind the last of the hundred, at most: that is known, and hidden, a moment before it is in the work list.
  bool has_come = false;
  for (int i = 0; i < 2 && !has_come; ++i) {
    job = work.take(stop.get_token());
    ASSERT_TRUE(job);
    has_come = job->batch.changes.keys.contains("b.rpm");
    work.finish(*job, {});
  }
  EXPECT_TRUE(has_come);
}

// Semantics 9.
TEST_F(InboxTest, OnlyAFullQueueLetsGoOfWhatWaitsForAFailingRepository) {
  const std::string repository = board.repository(0).name;
  Delivery two = about("two", "a.rpm", "h", "other");
  two.events.push_back({directory.path(), "b.rpm", "b.rpm"});
  other->give({two});
  auto job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  Ledger::Settled settled;
  EXPECT_FALSE(inbox.make_room(repository, job->batch.changes.keys, settled)) << "no queue is full";
  EXPECT_THAT(job->batch.changes.keys, SizeIs(2));
  work.give_back(*std::move(job));

  std::vector<Delivery> batch;
  for (int i = 0; i < 99; ++i) batch.push_back(about(std::to_string(i), "a.rpm"));
  batch.push_back(about("99", "c.rpm"));
  give_whole(std::move(batch));
  clock.advance(minutes(5));  // beyond the wait after the failure
  job = work.take(stop.get_token());
  ASSERT_TRUE(job);
  auto& keys = job->batch.changes.keys;
  ASSERT_EQ(keys.at("a.rpm").receipts.size(), 100u);
  EXPECT_TRUE(inbox.make_room(repository, keys, settled));
  EXPECT_EQ(settled.postponed.size(), 100u);
  EXPECT_THAT(keys.at("a.rpm").receipts, ElementsAre(Receipt{"other", "two", {}}));
  EXPECT_EQ(keys.at("b.rpm").receipts.size(), 1u);
  EXPECT_FALSE(keys.contains("c.rpm")) << "nobody else waits for it";
  inbox.conclude(std::move(settled));
  EXPECT_THAT(source->hidden("0/h"), Contains(minutes(5)));
  EXPECT_THAT(other->hidden("two/h"), Not(Contains(minutes(5))));
  EXPECT_FALSE(inbox.make_room(repository, keys, settled)) << "there is room now";
}

}  // namespace
}  // namespace repoupdate
