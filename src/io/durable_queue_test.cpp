// SPDX-License-Identifier: Apache-2.0
#include "io/durable_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "testkit/fake_clock.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Duration k_hidden = seconds(120);

std::vector<std::string> bodies_of(const std::vector<QueuedMessage>& messages) {
  std::vector<std::string> bodies;
  for (const auto& message : messages) bodies.push_back(message.body);
  return bodies;
}

QueueReceipt receipt_of(const QueuedMessage& message) {
  return {message.id, message.handle};
}

class DurableQueueTest : public testing::Test {
protected:
  std::unique_ptr<DurableQueue> open(const std::string& name = "queue.sqlite") {
    auto queue = DurableQueue::open(m_directory.path(name), m_limits, m_clock);
    EXPECT_TRUE(queue.ok()) << queue.error().text();
    return std::move(*queue);
  }
  // What a crash at this moment would leave, opened anew.
  std::unique_ptr<DurableQueue> after_crash() {
    for (const std::string end : {"", "-wal"})
      std::filesystem::copy_file(m_directory.path("queue.sqlite" + end), m_directory.path("copy.sqlite" + end));
    return open("copy.sqlite");
  }
  QueueDelivery receive(DurableQueue& queue, std::size_t most = 10) {
    auto delivery = queue.receive(most, k_hidden, Duration(0), {});
    EXPECT_TRUE(delivery.ok()) << delivery.error().text();
    return std::move(*delivery);
  }
  QueuedMessage receive_one(DurableQueue& queue) {
    auto delivery = receive(queue, 1);
    EXPECT_EQ(delivery.messages.size(), 1u);
    return delivery.messages.empty() ? QueuedMessage{} : delivery.messages[0];
  }
  std::vector<QueueReceipt> acknowledge(DurableQueue& queue, const QueuedMessage& message) {
    auto left = queue.acknowledge(std::vector{receipt_of(message)});
    EXPECT_TRUE(left.ok()) << left.error().text();
    return *left;
  }
  void put(DurableQueue& queue, std::string_view body) {
    const auto done = queue.put(body);
    EXPECT_TRUE(done.ok()) << done.error().text();
  }

  ScratchDirectory m_directory;
  FakeClock m_clock;
  QueueLimits m_limits;
};

TEST_F(DurableQueueTest, DeliversTheOldestFirstAndEachOnceWhileHidden) {
  const auto queue = open();
  for (const char* body : {"a", "b", "c"}) put(*queue, body);
  EXPECT_THAT(bodies_of(receive(*queue, 2).messages), ElementsAre("a", "b"));
  EXPECT_THAT(bodies_of(receive(*queue).messages), ElementsAre("c"));
  EXPECT_THAT(receive(*queue).messages, IsEmpty());
  EXPECT_EQ(queue->size(), 3u);
}

TEST_F(DurableQueueTest, ComesBackUnderANewHandleWhenItsTimeIsOver) {
  const auto queue = open();
  put(*queue, "a");
  const auto first = receive_one(*queue);
  m_clock.advance(k_hidden - seconds(1));
  EXPECT_THAT(receive(*queue).messages, IsEmpty());
  m_clock.advance(seconds(1));
  const auto second = receive_one(*queue);
  EXPECT_EQ(second.id, first.id);
  EXPECT_NE(second.handle, first.handle);
  EXPECT_EQ(second.receives, 2u);
  // The first delivery lost its claim.
  EXPECT_EQ(acknowledge(*queue, first).size(), 1u);
  EXPECT_EQ(queue->size(), 1u);
  EXPECT_THAT(acknowledge(*queue, second), IsEmpty());
  EXPECT_EQ(queue->size(), 0u);
  EXPECT_THAT(acknowledge(*queue, second), IsEmpty());  // gone is no failure
}

TEST_F(DurableQueueTest, ExtendingHidesLongerAndZeroReleases) {
  const auto queue = open();
  put(*queue, "a");
  const auto first = receive_one(*queue);
  m_clock.advance(seconds(100));
  queue->extend(std::vector{receipt_of(first)}, k_hidden);
  m_clock.advance(seconds(100));
  EXPECT_THAT(receive(*queue).messages, IsEmpty());
  queue->extend(std::vector{receipt_of(first)}, Duration(0));
  const auto second = receive_one(*queue);
  queue->extend(std::vector{receipt_of(first)}, Duration(0));  // an old receipt changes nothing
  EXPECT_THAT(receive(*queue).messages, IsEmpty());
  EXPECT_THAT(acknowledge(*queue, second), IsEmpty());
  queue->extend(std::vector{receipt_of(second)}, Duration(0));
  EXPECT_THAT(receive(*queue).messages, IsEmpty());
}

TEST_F(DurableQueueTest, WhatWasPutSurvivesACrashAndIsVisibleAtOnce) {
  const auto queue = open();
  const std::string binary("\0\xff'\n", 4);
  for (const std::string& body : {std::string("done"), std::string("under way"), binary}) put(*queue, body);
  acknowledge(*queue, receive_one(*queue));
  const auto lost = receive_one(*queue);
  const auto again = after_crash();
  const auto delivery = receive(*again);
  EXPECT_THAT(bodies_of(delivery.messages), ElementsAre("under way", binary));
  EXPECT_EQ(delivery.messages[0].receives, 2u);
  EXPECT_NE(delivery.messages[0].handle, lost.handle);
  EXPECT_EQ(delivery.messages[1].receives, 1u);
}

TEST_F(DurableQueueTest, ReceiptsOfBeforeTheCrashAcknowledgeNothing) {
  const auto queue = open();
  put(*queue, "a");
  const auto lost = receive_one(*queue);
  const auto again = after_crash();
  EXPECT_EQ(acknowledge(*again, lost).size(), 1u);
  EXPECT_EQ(acknowledge(*again, {lost.id, "", "", 0}).size(), 1u);
  EXPECT_EQ(again->size(), 1u);
}

TEST_F(DurableQueueTest, NumbersAreNotUsedAgain) {
  std::string first;
  {
    const auto queue = open();
    put(*queue, "a");
    const auto message = receive_one(*queue);
    first = message.id;
    acknowledge(*queue, message);
  }
  const auto queue = open();
  put(*queue, "b");
  EXPECT_NE(receive_one(*queue).id, first);
}

TEST_F(DurableQueueTest, ParksWhatCameBackTooOften) {
  m_limits.receives = 2;
  const auto queue = open();
  put(*queue, "poison");
  for (int i = 0; i < 2; ++i) {
    receive_one(*queue);
    m_clock.advance(k_hidden);
  }
  put(*queue, "good");
  const auto delivery = receive(*queue);
  EXPECT_THAT(bodies_of(delivery.messages), ElementsAre("good"));
  EXPECT_THAT(bodies_of(delivery.parked), ElementsAre("poison"));
  EXPECT_EQ(queue->size(), 1u);
  m_clock.advance(k_hidden);
  EXPECT_THAT(bodies_of(receive(*queue).messages), ElementsAre("good"));
  const auto again = after_crash();
  const auto after = receive(*again);  // "good" has been delivered twice by now
  EXPECT_THAT(after.messages, IsEmpty());
  EXPECT_THAT(bodies_of(after.parked), ElementsAre("good"));
}

TEST_F(DurableQueueTest, RefusesAboveItsLimitsUntilThereIsRoom) {
  m_limits.messages = 2;
  m_limits.bytes = 10;
  const auto queue = open();
  put(*queue, "12345");
  EXPECT_TRUE(queue->check().ok());
  EXPECT_TRUE(queue->put("123456").failed_with(ErrorKind::no_space));  // bytes
  EXPECT_TRUE(queue->check().failed_with(ErrorKind::no_space)) << "the store sends it again";
  put(*queue, "12345");
  EXPECT_TRUE(queue->put("").failed_with(ErrorKind::no_space));  // messages
  EXPECT_TRUE(queue->check().failed_with(ErrorKind::no_space));
  acknowledge(*queue, receive_one(*queue));
  EXPECT_TRUE(queue->check().ok());
  put(*queue, "54321");
  EXPECT_TRUE(after_crash()->put("").failed_with(ErrorKind::no_space));  // they are counted anew
}

TEST_F(DurableQueueTest, ParkedMessagesGiveWay) {
  m_limits = {.messages = 2, .bytes = 100, .receives = 1};
  const auto queue = open();
  put(*queue, "p");
  put(*queue, "q");
  receive(*queue);
  m_clock.advance(k_hidden);
  EXPECT_EQ(receive(*queue).parked.size(), 2u);
  put(*queue, "a");
  put(*queue, "b");
  EXPECT_TRUE(queue->put("c").failed_with(ErrorKind::no_space));
  EXPECT_THAT(bodies_of(receive(*after_crash()).messages), ElementsAre("a", "b"));
}

TEST_F(DurableQueueTest, ConcurrentReceiversShareTheMessages) {
  constexpr int k_senders = 2, k_each = 100, k_receivers = 4;
  SystemClock clock;
  auto opened = DurableQueue::open(m_directory.path("q.sqlite"), m_limits, clock);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  DurableQueue& queue = **opened;
  std::atomic<int> received{0}, failures{0};
  {
    std::vector<std::jthread> threads;
    for (int s = 0; s < k_senders; ++s)
      threads.emplace_back([&] {
        for (int i = 0; i < k_each; ++i) failures += queue.put("m").ok() ? 0 : 1;
      });
    for (int r = 0; r < k_receivers; ++r)
      threads.emplace_back([&] {
        while (received < k_senders * k_each) {
          const auto delivery = queue.receive(7, k_hidden, Duration(20), {});
          std::vector<QueueReceipt> receipts;
          for (const auto& message : delivery->messages) receipts.push_back(receipt_of(message));
          const auto left = queue.acknowledge(receipts);
          failures += left.ok() && left->empty() ? 0 : 1;
          received += static_cast<int>(receipts.size());
        }
      });
  }
  EXPECT_EQ(received, k_senders * k_each);
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(queue.size(), 0u);
}

TEST_F(DurableQueueTest, ReceivingWakesForAMessageAndForAStop) {
  SystemClock clock;
  auto opened = DurableQueue::open(m_directory.path("q.sqlite"), m_limits, clock);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  DurableQueue& queue = **opened;
  std::stop_source stop;
  const auto wait = [&] { return queue.receive(10, k_hidden, std::chrono::hours(1), stop.get_token()); };
  std::jthread sender([&] { static_cast<void>(queue.put("a").ok()); });
  EXPECT_THAT(bodies_of(wait()->messages), ElementsAre("a"));
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_THAT(wait()->messages, IsEmpty());
}

// No file of this process grows beyond `bytes`, as on a full disk.
class FullDisk {
public:
  explicit FullDisk(rlim_t bytes) : m_signal(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &m_before);
    const rlimit limit{bytes, m_before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &m_before);
    std::signal(SIGXFSZ, m_signal);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

private:
  rlimit m_before{};
  void (*m_signal)(int);
};

TEST_F(DurableQueueTest, WhatCannotBeWrittenIsNotAcceptedAndHarmsNothing) {
  const auto queue = open();
  put(*queue, "before");
  {
    const FullDisk disk(1024);
    EXPECT_FALSE(queue->put(std::string(100'000, 'x')).ok());
    EXPECT_FALSE(queue->check().ok());
    EXPECT_FALSE(queue->receive(10, k_hidden, Duration(0), {}).ok());
  }
  EXPECT_TRUE(queue->check().ok());
  put(*queue, "after");
  EXPECT_EQ(queue->size(), 2u);
  EXPECT_THAT(bodies_of(receive(*queue).messages), ElementsAre("before", "after"));
  EXPECT_THAT(bodies_of(receive(*after_crash()).messages), ElementsAre("before", "after"));
}

TEST_F(DurableQueueTest, BelongsToOneProcess) {
  const auto queue = open();
  const auto second = DurableQueue::open(m_directory.path("queue.sqlite"), m_limits, m_clock);
  ASSERT_TRUE(second.failed_with(ErrorKind::conflict));
  EXPECT_THAT(second.error().message, testing::HasSubstr("in use by another process"));
}

TEST_F(DurableQueueTest, IsReadableByItsOwnerAlone) {
  const auto queue = open();
  put(*queue, "a");
  for (const std::string end : {"", "-wal"}) {
    const auto status = std::filesystem::status(m_directory.path("queue.sqlite" + end));
    EXPECT_EQ(status.permissions(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write) << end;
  }
}

TEST_F(DurableQueueTest, RefusesFilesThatAreNoneOfItsOwn) {
  m_directory.write("text", std::string(5000, 'x'));
  EXPECT_TRUE(DurableQueue::open(m_directory.path("text"), m_limits, m_clock).failed_with(ErrorKind::corrupt));
  {
    auto other = SqliteFile::open(m_directory.path("other"));
    ASSERT_TRUE(other.ok() && other->run("CREATE TABLE t (x)").ok());
  }
  EXPECT_TRUE(DurableQueue::open(m_directory.path("other"), m_limits, m_clock).failed_with(ErrorKind::corrupt));
  open();
  {
    auto newer = SqliteFile::open(m_directory.path("queue.sqlite"));
    ASSERT_TRUE(newer.ok() && newer->run("PRAGMA user_version = 2").ok());
  }
  EXPECT_TRUE(
      DurableQueue::open(m_directory.path("queue.sqlite"), m_limits, m_clock).failed_with(ErrorKind::unsupported));
  EXPECT_TRUE(
      DurableQueue::open(m_directory.path("no/such/file"), m_limits, m_clock).failed_with(ErrorKind::not_found));
}

}  // namespace
}  // namespace repoupdate
