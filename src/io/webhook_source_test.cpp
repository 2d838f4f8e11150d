// SPDX-License-Identifier: Apache-2.0
#include "io/webhook_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "io/posix_file.hpp"
#include "testkit/fake_clock.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

// The shapes of Ceph RGW (the key as it is) and of MinIO (the key encoded, its slashes too).
const std::string k_ceph_event =
    R"({"Records":[{"eventVersion":"2.2","eventSource":"ceph:s3","eventName":"ObjectCreated:Put","s3":{)"
    R"("bucket":{"name":"b","id":"x"},"object":{"key":"pool/a+b~1 %2B.rpm","size":5}},"opaqueData":""}]})";
const std::string k_minio_event =
    R"({"EventName":"s3:ObjectCreated:Put","Key":"b/pool/a+b.rpm","Records":[{"eventVersion":"2.0",)"
    R"("eventSource":"minio:s3","s3":{"bucket":{"name":"b"},"object":{"key":"pool%2Fa%2Bb.rpm"}}}]})";

FileHandle connect_to(const std::string& address) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  FileHandle socket(::socket(AF_INET, SOCK_STREAM, 0));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  return socket;
}

void send_text(const FileHandle& socket, std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
}

// Everything until the server closes.
std::string read_all(const FileHandle& socket) {
  std::string text;
  char buffer[4096];
  for (ssize_t got; (got = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  return text;
}

std::string request_text(const std::string& method, const std::string& target, const std::string& body,
                         const std::string& headers = {}) {
  return method + ' ' + target + " HTTP/1.1\r\nHost: test\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

class WebhookSourceTest : public testing::Test {
protected:
  void start() {
    WebhookSourceOptions options;
    options.server.listen = "127.0.0.1:0";
    options.server.access = m_access;
    options.server.deadline = m_deadline;
    options.queue_file = m_directory.path("queue.sqlite");
    options.limits = m_limits;
    m_source.reset();
    auto source = WebhookSource::open(options,
                                      {.refused =
                                           [this](int status, const std::string& reason, const std::string& peer) {
                                             const std::scoped_lock lock(m_mutex);
                                             m_refused.push_back(std::to_string(status) + ' ' + reason + ' ' + peer);
                                           },
                                       .parked =
                                           [this](const std::string&, const std::string& about) {
                                             const std::scoped_lock lock(m_mutex);
                                             m_parked.push_back(about);
                                           }},
                                      m_clock);
    ASSERT_TRUE(source.ok()) << source.error().text();
    m_source = std::move(*source);
    m_address = m_source->name().substr(7, m_source->name().rfind('/') - 7);
  }
  std::string exchange(const std::string& text) {
    const FileHandle socket = connect_to(m_address);
    send_text(socket, text);
    return read_all(socket);
  }
  int post(const std::string& body, const std::string& headers = {}, const std::string& target = "/events") {
    const std::string answer = exchange(request_text("POST", target, body, headers));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 "));
    return answer.size() > 12 ? std::stoi(answer.substr(9, 3)) : 0;
  }
  std::vector<Delivery> receive() {
    auto deliveries = m_source->receive(Duration(0), {});
    EXPECT_TRUE(deliveries.ok()) << deliveries.error().text();
    return std::move(*deliveries);
  }

  ScratchDirectory m_directory;
  FakeClock m_clock;
  WebhookAccess m_access;
  QueueLimits m_limits;
  Duration m_deadline{seconds(30)};
  std::mutex m_mutex;
  std::vector<std::string> m_refused, m_parked;  // guarded by m_mutex
  std::unique_ptr<WebhookSource> m_source;
  std::string m_address;
};

TEST_F(WebhookSourceTest, WhatIsPostedIsReceived) {
  start();
  EXPECT_EQ(post(k_ceph_event), 200);
  EXPECT_EQ(post(k_minio_event), 200);
  const auto deliveries = receive();
  ASSERT_EQ(deliveries.size(), 2u);
  ASSERT_EQ(deliveries[0].events.size(), 1u);
  EXPECT_EQ(deliveries[0].events[0].bucket, "b");
  EXPECT_EQ(deliveries[0].events[0].key, "pool/a+b~1 %2B.rpm");
  ASSERT_EQ(deliveries[1].events.size(), 1u);
  EXPECT_EQ(deliveries[1].events[0].key, "pool/a+b.rpm");
  EXPECT_EQ(deliveries[0].receipt.source, m_source->name());
  const auto left = m_source->acknowledge(std::vector{deliveries[0].receipt, deliveries[1].receipt});
  ASSERT_TRUE(left.ok());
  EXPECT_THAT(*left, IsEmpty());
  EXPECT_EQ(m_source->waiting(), 0u);
}

TEST_F(WebhookSourceTest, ComesBackUntilItIsAcknowledgedAndAlsoAfterARestart) {
  start();
  ASSERT_EQ(post(k_ceph_event), 200);
  const auto first = receive();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_THAT(receive(), IsEmpty());
  m_clock.advance(m_source->visibility());
  const auto second = receive();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].receipt.message_id, first[0].receipt.message_id);
  EXPECT_NE(second[0].receipt.handle, first[0].receipt.handle);
  ASSERT_TRUE(m_source->extend(std::vector{second[0].receipt}, Duration(0)).ok());
  EXPECT_EQ(receive().size(), 1u);
  start();
  EXPECT_EQ(receive().size(), 1u);
}

TEST_F(WebhookSourceTest, AnUnreadableRecordIsToldAndParkedAtLast) {
  m_limits.receives = 2;
  start();
  ASSERT_EQ(post(R"({"Records":[{"s3":{}}]})"), 200);
  for (int i = 0; i < 2; ++i) {
    const auto deliveries = receive();
    ASSERT_EQ(deliveries.size(), 1u);
    EXPECT_THAT(deliveries[0].problem, HasSubstr("names no bucket"));
    EXPECT_THAT(deliveries[0].excerpt, HasSubstr(R"({"s3":{}})"));
    EXPECT_EQ(deliveries[0].receives, i + 1);
    EXPECT_TRUE(deliveries[0].has_dead_letter_queue);
    m_clock.advance(m_source->visibility());
  }
  EXPECT_THAT(receive(), IsEmpty());
  EXPECT_THAT(m_parked, testing::ElementsAre(AllOf(HasSubstr("names no bucket"), HasSubstr(R"({"s3":{}})"))));
}

TEST_F(WebhookSourceTest, RefusalsStoreNothingAndSayWhy) {
  m_access = {"s3cret", "rgw"};
  start();
  const std::string secret = "Authorization: Bearer s3cret\r\n";
  EXPECT_EQ(post(k_ceph_event), 401);
  EXPECT_EQ(post(k_ceph_event, "Authorization: Bearer wrong\r\n"), 401);
  EXPECT_EQ(post(k_ceph_event, {}, "/events?token=wrong"), 401);
  EXPECT_EQ(post(k_ceph_event, secret, "/other"), 404);
  EXPECT_EQ(post("no event", secret), 400);
  EXPECT_EQ(post(k_ceph_event, secret + "Content-Encoding: gzip\r\n"), 415);
  EXPECT_EQ(m_source->waiting(), 0u);
  ASSERT_EQ(m_refused.size(), 6u);
  EXPECT_EQ(m_refused[0], "401 the secret is missing or wrong 127.0.0.1");
  EXPECT_THAT(m_refused[4], HasSubstr("no JSON"));
  for (const auto& line : m_refused) EXPECT_EQ(line.find("s3cret"), std::string::npos);

  EXPECT_EQ(post(k_ceph_event, secret), 200);
  EXPECT_EQ(post(k_ceph_event, "Authorization: Basic cmd3OnMzY3JldA==\r\n"), 200);
  EXPECT_EQ(post(k_ceph_event, {}, "/events?token=s3cre%74"), 200);
  EXPECT_EQ(m_source->waiting(), 3u);
}

TEST_F(WebhookSourceTest, LargeBodiesAreRefusedHoweverTheyCome) {
  start();
  const std::string padding(k_max_webhook_body - k_ceph_event.size(), ' ');
  EXPECT_EQ(post(k_ceph_event + padding), 200);
  // Announced: refused before a byte of it is sent.
  EXPECT_THAT(exchange("POST /events HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  // In chunks: refused when it turns out.
  const std::string chunk = "10000\r\n" + std::string(0x10000, ' ') + "\r\n";
  std::string chunked = "POST /events HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 17; ++i) chunked += chunk;
  EXPECT_THAT(exchange(chunked + "0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(
      exchange("POST /events HTTP/1.1\r\nHost: test\r\nX: " + std::string(k_max_webhook_header, 'x') + "\r\n\r\n"),
      testing::AnyOf(StartsWith("HTTP/1.1 4"), IsEmpty()));
  EXPECT_EQ(m_source->waiting(), 1u);
}

TEST_F(WebhookSourceTest, AFullQueueTellsTheStoreToComeAgain) {
  m_limits.messages = 1;
  start();
  EXPECT_THAT(exchange(request_text("GET", "/healthz", "")), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(post(k_ceph_event), 200);
  EXPECT_EQ(post(k_ceph_event), 503);
  EXPECT_THAT(exchange(request_text("GET", "/healthz", "")), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(m_refused, ElementsAre(HasSubstr("the queue is full"))) << "of the event; who only asks loses nothing";
  const auto deliveries = receive();
  ASSERT_TRUE(m_source->acknowledge(std::vector{deliveries.at(0).receipt}).ok());
  EXPECT_EQ(post(k_ceph_event), 200);
}

TEST_F(WebhookSourceTest, ProbesAreAnsweredAndEachConnectionCarriesOneRequest) {
  m_access.secret = "s3cret";
  start();
  const std::string head = exchange(request_text("HEAD", "/events", ""));
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(head, HasSubstr("Connection: close"));
  EXPECT_THAT(exchange(request_text("OPTIONS", "/events", "")), HasSubstr("Allow: POST, HEAD, OPTIONS"));
  EXPECT_EQ(post("", "Authorization: Bearer s3cret\r\n"), 200);
  EXPECT_EQ(m_source->waiting(), 0u);
  // A second request on the same connection is not read.
  const std::string two = request_text("HEAD", "/events", "") + request_text("HEAD", "/events", "");
  const std::string answer = exchange(two);
  EXPECT_EQ(answer.find("HTTP/1.1 200", 5), std::string::npos) << answer;
}

TEST_F(WebhookSourceTest, ThoseWhoSendForEverAreCutOff) {
  m_deadline = Duration(100);
  start();
  const FileHandle silent = connect_to(m_address), slow = connect_to(m_address);
  send_text(slow, "POST /events HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n{");
  std::atomic<bool> over{false};
  std::jthread dripping([&] {
    while (!over) {
      if (::send(slow.get(), " ", 1, MSG_NOSIGNAL) < 0) return;
      std::this_thread::sleep_for(Duration(5));
    }
  });
  EXPECT_THAT(read_all(silent), IsEmpty());  // returns: it was closed
  EXPECT_THAT(read_all(slow), IsEmpty());
  over = true;
  // The deadline is that of this request, too: one of many is in time, however busy the machine is.
  std::string answer;
  for (int i = 0; i < 100 && !answer.starts_with("HTTP/1.1 200 "); ++i)
    answer = exchange(request_text("POST", "/events", k_ceph_event));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
}

TEST_F(WebhookSourceTest, ConcurrentSendersAreAllStored) {
  constexpr int k_senders = 8, k_each = 10;
  start();
  std::atomic<int> accepted{0};
  {
    std::vector<std::jthread> senders;
    for (int s = 0; s < k_senders; ++s)
      senders.emplace_back([&] {
        for (int i = 0; i < k_each; ++i) accepted += post(k_ceph_event) == 200 ? 1 : 0;
      });
  }
  EXPECT_EQ(accepted, k_senders * k_each);
  EXPECT_EQ(m_source->waiting(), static_cast<std::uint64_t>(k_senders * k_each));
}

TEST_F(WebhookSourceTest, SaysWhatIsWrongWithAnAddress) {
  for (const char* address : {"", "8042", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "::1:8042", "[::1]", ":8042",
                              "127.0.0.1:99999", "[::zz]:1"}) {
    WebhookServerOptions options;
    options.listen = address;
    const auto server = WebhookServer::start(options, {});
    EXPECT_TRUE(server.failed_with(ErrorKind::invalid)) << address;
  }
  start();
  WebhookServerOptions taken;
  taken.listen = m_address;
  const auto server = WebhookServer::start(taken, {});
  ASSERT_TRUE(server.failed_with(ErrorKind::io));
  EXPECT_THAT(server.error().message, HasSubstr("in use"));
  WebhookServerOptions bad_tls;
  bad_tls.listen = "127.0.0.1:0";
  bad_tls.tls_certificate = bad_tls.tls_key = "no PEM";
  EXPECT_TRUE(WebhookServer::start(bad_tls, {}).failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
