// SPDX-License-Identifier: Apache-2.0
#include "io/sqs_source.hpp"

#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "io/event_json.hpp"
#include "io/sample_sender.hpp"
#include "testkit/loopback_server.hpp"

namespace repoupdate {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

// A queue behind a loopback server: a test says what each action answers.
class SqsSourceTest : public SampleSender {
protected:
  using Action = std::function<WireAnswer(const json& body)>;

  SqsSourceTest() {
    actions["GetQueueUrl"] = [this](const json& body) {
      return answer(200, {}, json{{"QueueUrl", "http://elsewhere.invalid/1/" + std::string(body["QueueName"])}}.dump());
    };
    actions["GetQueueAttributes"] = [](const json&) { return answer(200, {}, "{}"); };
  }

  void open(const std::string& queue) {
    auto opened = SqsSource::open({queue, "eu-west-1", server.url(), seconds(90)}, m_sender);
    ASSERT_TRUE(opened) << opened.error().message;
    source = *std::move(opened);
  }

  WireAnswer respond(const WireRequest& request) { return actions.at(action_of(request))(json::parse(request.body)); }

  static std::string action_of(const WireRequest& request) {
    const std::string target = request.header("x-amz-target");
    return target.substr(target.find('.') + 1);
  }
  std::vector<std::string> seen() const {
    std::vector<std::string> found;
    for (const auto& request : server.requests()) found.push_back(action_of(request));
    return found;
  }
  json body(std::size_t number) const { return json::parse(server.requests().at(number).body); }
  json last_body() const { return json::parse(server.requests().back().body); }

  static std::vector<Receipt> receipts(std::size_t count) {
    std::vector<Receipt> made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back({"sqs://eu-west-1/pool", "m" + std::to_string(i), "h" + std::to_string(i)});
    return made;
  }

  static std::vector<std::string> ids(const std::vector<Receipt>& receipts) {
    std::vector<std::string> found;
    for (const auto& receipt : receipts) found.push_back(receipt.message_id);
    return found;
  }

  std::map<std::string, Action> actions;
  LoopbackServer server{[this](const WireRequest& request, int) { return respond(request); }};
  std::unique_ptr<SqsSource> source;
};

TEST_F(SqsSourceTest, LargestMessagesAreReceivedAlsoWhenEveryCharacterIsEscaped) {
  std::string body;
  for (std::size_t i = 0; i < k_max_event_body; ++i) body += "\\u0001";
  std::string messages;
  for (std::size_t i = 0; i < k_sqs_batch; ++i)
    messages += (i == 0 ? "" : ",") + (R"({"MessageId":")" + std::to_string(i)) + R"(","ReceiptHandle":"h","Body":")" +
                body + "\"}";
  actions["ReceiveMessage"] = [&](const json&) { return answer(200, {}, "{\"Messages\":[" + messages + "]}"); };
  open("pool");
  const auto deliveries = source->receive(seconds(0), {});
  ASSERT_TRUE(deliveries) << deliveries.error().message;
  EXPECT_EQ(deliveries->size(), k_sqs_batch);
}

// What SQS says of entries: the first list was deleted, the second failed with this fault.
std::string verdicts(const std::vector<int>& done, const std::vector<int>& failed, bool sender_fault) {
  json body = {{"Successful", json::array()}, {"Failed", json::array()}};
  for (const int id : done) body["Successful"].push_back({{"Id", std::to_string(id)}});
  for (const int id : failed)
    body["Failed"].push_back(
        {{"Id", std::to_string(id)}, {"SenderFault", sender_fault}, {"Code", "Broken"}, {"Message", "it is"}});
  return body.dump();
}

TEST_F(SqsSourceTest, MessagesBecomeDeliveriesAlsoThoseThatCannotBeRead) {
  const std::string event =
      R"({"Records":[{"eventSource":"aws:s3","s3":{"bucket":{"name":"b"},"object":{"key":"a%2Bb.rpm"}}}]})";
  actions["ReceiveMessage"] = [&](const json&) {
    return answer(200, {},
                  json{{"Messages",
                        {{{"MessageId", "m1"}, {"ReceiptHandle", "h1"}, {"Body", event}},
                         {{"MessageId", "m2"},
                          {"ReceiptHandle", "h2"},
                          {"Body", "hello\n" + std::string(5'000, 'x')},
                          {"Attributes", {{"ApproximateReceiveCount", "3"}}}}}}}
                      .dump());
  };
  open("pool");
  const auto deliveries = source->receive(seconds(30), {});
  ASSERT_TRUE(deliveries) << deliveries.error().message;
  ASSERT_EQ(deliveries->size(), 2U);
  EXPECT_EQ((*deliveries)[0].receipt, (Receipt{"sqs://eu-west-1/pool", "m1", "h1"}));
  ASSERT_EQ((*deliveries)[0].events.size(), 1U);
  EXPECT_EQ((*deliveries)[0].events[0].key, "a+b.rpm");
  EXPECT_EQ((*deliveries)[0].problem, "");
  EXPECT_THAT((*deliveries)[1].events, IsEmpty());
  EXPECT_EQ((*deliveries)[0].excerpt, "");
  EXPECT_THAT((*deliveries)[1].problem, Not(IsEmpty()));
  EXPECT_THAT((*deliveries)[1].excerpt, StartsWith("'hello?xxx"));
  EXPECT_LT((*deliveries)[1].excerpt.size(), 2'100u);
  EXPECT_EQ((*deliveries)[1].receives, 3);
  EXPECT_EQ(last_body(), json::parse(R"({"QueueUrl":"http://elsewhere.invalid/1/pool","MaxNumberOfMessages":10,
                                           "AttributeNames":["ApproximateReceiveCount","SentTimestamp"],
                                           "WaitTimeSeconds":20,"VisibilityTimeout":90})"));
}

TEST_F(SqsSourceTest, TheUrlOfANamedQueueIsAskedForOnce) {
  actions["ReceiveMessage"] = [](const json&) { return answer(200, {}, "{}"); };
  open("arn:aws:sqs:us-east-2:123456789012:pool");
  EXPECT_EQ(source->name(), "sqs://us-east-2/123456789012/pool") << "other accounts may have one of that name";
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(source->receive(seconds(1), {}));
  EXPECT_THAT(seen(), ElementsAre("GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "ReceiveMessage"));
  EXPECT_EQ(body(0), json::parse(R"({"QueueName":"pool","QueueOwnerAWSAccountId":"123456789012"})"));
  EXPECT_THAT(server.requests()[0].header("authorization"), HasSubstr("/us-east-2/sqs/aws4_request"));
  EXPECT_EQ(server.requests()[0].header("content-type"), "application/x-amz-json-1.0");
}

TEST_F(SqsSourceTest, AQueueThatDoesNotExistIsNamedAndAskedForAgain) {
  bool exists = false;
  const auto get_url = actions["GetQueueUrl"];
  actions["GetQueueUrl"] = [&](const json& body) {
    return exists ? get_url(body)
                  : answer(400, {}, R"({"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no such queue"})");
  };
  actions["ReceiveMessage"] = [](const json&) { return answer(200, {}, "{}"); };
  open("pool");
  const auto received = source->receive(seconds(1), {});
  ASSERT_TRUE(received.failed_with(ErrorKind::invalid));
  EXPECT_THAT(received.error().message, HasSubstr("no queue 'pool' in region eu-west-1"));
  exists = true;
  EXPECT_TRUE(source->receive(seconds(1), {}));
}

// I11.
TEST_F(SqsSourceTest, RefusalsKeepTheirKind) {
  const auto kind = [&](int status, const std::string& code) {
    actions["ReceiveMessage"] = [=](const json&) { return answer(status, {}, json{{"__type", "x#" + code}}.dump()); };
    const auto received = source->receive(seconds(1), {});
    return received ? ErrorKind::io : received.error().kind;
  };
  open("pool");
  EXPECT_EQ(kind(400, "AccessDeniedException"), ErrorKind::denied);
  EXPECT_EQ(kind(403, "InvalidClientTokenId"), ErrorKind::denied);
  EXPECT_EQ(kind(403, "SignatureDoesNotMatch"), ErrorKind::denied);
  EXPECT_EQ(kind(400, "OverLimit"), ErrorKind::throttled);
  EXPECT_EQ(kind(400, "ThrottlingException"), ErrorKind::throttled);
  EXPECT_EQ(kind(500, "InternalFailure"), ErrorKind::unavailable);
}

TEST_F(SqsSourceTest, AStopEndsTheLongPollWithoutAFailure) {
  actions["ReceiveMessage"] = [](const json&) { return WireAnswer{"", false, true}; };
  open("pool");
  std::stop_source stop;
  std::jthread stopper([&] {
    while (server.requests().size() < 3) std::this_thread::yield();
    stop.request_stop();
  });
  const auto received = source->receive(seconds(20), stop.get_token());
  ASSERT_TRUE(received) << received.error().message;
  EXPECT_THAT(*received, IsEmpty());
}

TEST_F(SqsSourceTest, AStopOfAllEndsWhatHasNoTokenOfItsOwn) {
  std::stop_source all;
  for (const char* action : {"DeleteMessageBatch", "ChangeMessageVisibilityBatch"})
    actions[action] = [&all](const json&) {
      all.request_stop();
      return WireAnswer{{}, false, true};
    };
  auto opened = SqsSource::open(
      {.queue = "pool", .region = "eu-west-1", .endpoint_url = server.url(), .stop = all.get_token()}, m_sender);
  ASSERT_TRUE(opened) << opened.error().message;
  source = *std::move(opened);
  EXPECT_TRUE(source->acknowledge(receipts(1)).failed_with(ErrorKind::cancelled));
  EXPECT_TRUE(source->extend(receipts(1), seconds(0)).failed_with(ErrorKind::cancelled));
}

TEST_F(SqsSourceTest, MessagesAreDeletedInTens) {
  actions["DeleteMessageBatch"] = [](const json& body) {
    std::vector<int> done;
    for (std::size_t i = 0; i < body["Entries"].size(); ++i) done.push_back(static_cast<int>(i));
    return answer(200, {}, verdicts(done, {}, false));
  };
  open("pool");
  const auto left = source->acknowledge(receipts(23));
  ASSERT_TRUE(left) << left.error().message;
  EXPECT_THAT(*left, IsEmpty());
  std::vector<std::size_t> sizes;
  std::set<std::string> handles;
  for (std::size_t i = 1; i < seen().size(); ++i) {
    const json entries = body(i)["Entries"];
    sizes.push_back(entries.size());
    for (const auto& entry : entries) handles.insert(entry["ReceiptHandle"]);
  }
  EXPECT_THAT(sizes, UnorderedElementsAre(10U, 10U, 3U));
  EXPECT_EQ(handles.size(), 23U);
}

TEST_F(SqsSourceTest, AfterAFailedRequestTheRestIsNotTried) {
  actions["DeleteMessageBatch"] = [](const json&) { return answer(403, {}, R"({"__type":"x#AccessDenied"})"); };
  open("pool");
  EXPECT_TRUE(source->acknowledge(receipts(500)).failed_with(ErrorKind::denied));
  EXPECT_LE(seen().size(), 1 + k_sqs_parallel) << "those that were under way already";
}

TEST_F(SqsSourceTest, TheRedrivePolicyIsAskedForOnceAndToldWithEachMessage) {
  actions["GetQueueAttributes"] = [](const json&) {
    return answer(200, {}, R"({"Attributes":{"RedrivePolicy":
        "{\"deadLetterTargetArn\":\"arn:aws:sqs:eu-west-1:1:dead\",\"maxReceiveCount\":5}"}})");
  };
  actions["ReceiveMessage"] = [](const json&) {
    return answer(200, {}, R"({"Messages":[{"MessageId":"m1","ReceiptHandle":"h1","Body":"x"}]})");
  };
  open("pool");
  for (int i = 0; i < 2; ++i) {
    const auto deliveries = source->receive(seconds(1), {});
    ASSERT_TRUE(deliveries) << deliveries.error().message;
    EXPECT_TRUE(deliveries->at(0).has_dead_letter_queue);
  }
  EXPECT_THAT(seen(), ElementsAre("GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "ReceiveMessage"));
}

TEST_F(SqsSourceTest, WhoMayNotAskForTheRedrivePolicyReceivesAllTheSame) {
  actions["ReceiveMessage"] = [](const json&) {
    return answer(200, {}, R"({"Messages":[{"MessageId":"m1","ReceiptHandle":"h1","Body":"x"}]})");
  };
  for (const char* refusal : {"AccessDeniedException", "InvalidAttributeName", "UnsupportedOperation"}) {
    actions["GetQueueAttributes"] = [=](const json&) {
      return answer(400, {}, json{{"__type", std::string("x#") + refusal}}.dump());
    };
    open("pool");
    const auto deliveries = source->receive(seconds(1), {});
    ASSERT_TRUE(deliveries) << refusal << deliveries.error().message;
    EXPECT_FALSE(deliveries->at(0).has_dead_letter_queue);
  }
}

// Semantics 35, I4: an answer 200 with failures inside has not deleted everything.
TEST_F(SqsSourceTest, WhatTheServiceFailedOnIsTriedOnceMore) {
  int call = 0;
  actions["DeleteMessageBatch"] = [&](const json&) {
    return answer(200, {}, ++call == 1 ? verdicts({0}, {1, 2}, false) : verdicts({0}, {1}, false));
  };
  open("pool");
  const auto left = source->acknowledge(receipts(3));
  ASSERT_TRUE(left);
  EXPECT_THAT(ids(*left), ElementsAre("m2"));
  EXPECT_EQ(last_body()["Entries"],
            json::parse(R"([{"Id":"0","ReceiptHandle":"h1"},{"Id":"1","ReceiptHandle":"h2"}])"));
  EXPECT_EQ(call, 2);
}

TEST_F(SqsSourceTest, WhatIsRefusedIsReturnedAndNothingDeletedIsAnError) {
  actions["DeleteMessageBatch"] = [](const json&) { return answer(200, {}, verdicts({0}, {1}, true)); };
  open("pool");
  const auto left = source->acknowledge(receipts(2));
  ASSERT_TRUE(left);
  EXPECT_THAT(ids(*left), ElementsAre("m1"));
  EXPECT_THAT(seen(), ElementsAre("GetQueueUrl", "DeleteMessageBatch"));

  actions["DeleteMessageBatch"] = [](const json&) { return answer(200, {}, verdicts({}, {0, 1}, true)); };
  const auto none = source->acknowledge(receipts(2));
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("Broken: it is"));

  actions["DeleteMessageBatch"] = [](const json&) { return answer(403, {}, R"({"__type":"x#AccessDenied"})"); };
  const auto denied = source->acknowledge(receipts(2));
  ASSERT_TRUE(denied.failed_with(ErrorKind::denied));
  EXPECT_THAT(denied.error().message, HasSubstr("sqs:DeleteMessage"));
}

TEST_F(SqsSourceTest, VisibilityIsExtendedWithinTheServicesLimit) {
  actions["ChangeMessageVisibilityBatch"] = [](const json&) { return answer(200, {}, verdicts({}, {0}, true)); };
  open("pool");
  EXPECT_TRUE(source->extend(receipts(1), std::chrono::hours(24))) << "a message that is gone is no failure";
  EXPECT_EQ(last_body()["Entries"], json::parse(R"([{"Id":"0","ReceiptHandle":"h0","VisibilityTimeout":43200}])"));
  EXPECT_EQ(source->visibility(), seconds(90));
}

TEST_F(SqsSourceTest, NothingIsSentForNoReceipts) {
  open("pool");
  EXPECT_TRUE(source->acknowledge({}));
  EXPECT_TRUE(source->extend({}, seconds(1)));
  EXPECT_THAT(seen(), IsEmpty());
}

TEST_F(SqsSourceTest, AQueuesOwnUrlIsUsedAsItIs) {
  actions["ReceiveMessage"] = [](const json&) { return answer(200, {}, "{}"); };
  const std::string url = server.url() + "/123456789012/pool";
  auto opened = SqsSource::open({url, "eu-west-1", "", seconds(30)}, m_sender);
  ASSERT_TRUE(opened);
  ASSERT_TRUE((*opened)->receive(seconds(0), {}));
  EXPECT_THAT(seen(), ElementsAre("GetQueueAttributes", "ReceiveMessage"));
  EXPECT_EQ(last_body()["QueueUrl"], url);
  EXPECT_EQ(server.requests()[0].target, "/");
}

TEST_F(SqsSourceTest, SettingsThatCannotWorkAreRefusedAtOnce) {
  const auto open_with = [&](SqsSourceOptions options) { return SqsSource::open(options, m_sender); };
  EXPECT_TRUE(open_with({"pool.fifo", "eu-west-1", "", seconds(1)}).failed_with(ErrorKind::unsupported));
  EXPECT_TRUE(open_with({"a pool", "eu-west-1", "", seconds(1)}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(open_with({"pool", "", "", seconds(1)}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(open_with({"pool", "eu-west-1", "localhost:9324", seconds(1)}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(open_with({"pool", "eu-west-1", "", seconds(43'201)}).failed_with(ErrorKind::invalid));
  EXPECT_THAT(seen(), IsEmpty());
}

}  // namespace
}  // namespace repoupdate
