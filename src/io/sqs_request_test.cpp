// SPDX-License-Identifier: Apache-2.0
#include "io/sqs_request.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace repoupdate {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(SqsRequest, QueueIsNamedByNameArnOrUrl) {
  struct Case {
    const char* text;
    const char* name;
    const char* account;
    const char* region;
  };
  for (const auto& c : {
           Case{"pool_events-1", "pool_events-1", "", ""},
           Case{"arn:aws:sqs:eu-west-1:123456789012:pool", "pool", "123456789012", "eu-west-1"},
           Case{"arn:aws-cn:sqs:cn-north-1:123456789012:pool", "pool", "123456789012", "cn-north-1"},
           Case{"https://sqs.eu-west-1.amazonaws.com/123456789012/pool", "pool", "123456789012", "eu-west-1"},
           Case{"https://vpce-1a.sqs.us-east-2.vpce.amazonaws.com/123456789012/pool", "pool", "123456789012",
                "us-east-2"},
           Case{"https://us-west-2.queue.amazonaws.com/123456789012/pool", "pool", "123456789012", "us-west-2"},
           Case{"http://127.0.0.1:5000/123456789012/pool", "pool", "123456789012", ""},
           Case{"http://sqs.internal:9324/queue/pool", "pool", "", ""},
       }) {
    const auto queue = parse_sqs_queue(c.text);
    ASSERT_TRUE(queue) << c.text;
    EXPECT_EQ(queue->name, c.name);
    EXPECT_EQ(queue->account, c.account);
    EXPECT_EQ(queue->region, c.region);
    EXPECT_EQ(queue->url, std::string_view(c.text).starts_with("http") ? c.text : "");
  }
}

TEST(SqsRequest, WhatIsNoQueueIsRefused) {
  for (const char* text : {"", "a b", "ftp://host/123456789012/pool", "https://sqs.eu-west-1.amazonaws.com",
                           "https://sqs.eu-west-1.amazonaws.com/", "arn:aws:s3:::bucket",
                           "arn:aws:sqs:eu-west-1:12:pool", "arn:aws:sqs::123456789012:pool"})
    EXPECT_TRUE(parse_sqs_queue(text).failed_with(ErrorKind::invalid)) << text;
  for (const char* text : {"pool.fifo", "arn:aws:sqs:eu-west-1:123456789012:pool.fifo",
                           "https://sqs.eu-west-1.amazonaws.com/123456789012/pool.fifo"}) {
    const auto queue = parse_sqs_queue(text);
    ASSERT_TRUE(queue.failed_with(ErrorKind::unsupported)) << text;
    EXPECT_THAT(queue.error().message, HasSubstr("FIFO"));
  }
}

TEST(SqsRequest, WhatIsNoQueueIsToldOnOneLine) {
  for (const char* text : {"a\nb", "a\x1b.fifo", "http://h/a\rb"}) {
    const auto queue = parse_sqs_queue(text);
    ASSERT_FALSE(queue) << text;
    for (const char c : queue.error().message) EXPECT_GE(c, ' ') << queue.error().message;
  }
}

TEST(SqsRequest, KeysThatSomebodyWroteIntoItsUrlAreNotRepeated) {
  const auto queue = parse_sqs_queue("https://KEY:SECRET@sqs.eu-west-1.amazonaws.com/123456789012/pool");
  ASSERT_TRUE(queue.failed_with(ErrorKind::invalid));
  EXPECT_EQ(queue.error().message.find("SECRET"), std::string::npos) << queue.error().message;
}

TEST(SqsRequest, BodiesAreWhatTheServiceDocuments) {
  EXPECT_EQ(json::parse(sqs_get_queue_url_body({"pool", "", "eu-west-1", ""})), json::parse(R"({"QueueName":"pool"})"));
  EXPECT_EQ(json::parse(sqs_get_queue_url_body({"pool", "123456789012", "", ""})),
            json::parse(R"({"QueueName":"pool","QueueOwnerAWSAccountId":"123456789012"})"));
  EXPECT_EQ(json::parse(sqs_receive_body("http://q/1", std::chrono::seconds(20), std::chrono::seconds(120))),
            json::parse(R"({"QueueUrl":"http://q/1","AttributeNames":["ApproximateReceiveCount","SentTimestamp"],
                "MaxNumberOfMessages":10,"WaitTimeSeconds":20,"VisibilityTimeout":120})"));
  EXPECT_EQ(json::parse(sqs_redrive_policy_body("u")),
            json::parse(R"({"QueueUrl":"u","AttributeNames":["RedrivePolicy"]})"));
  const std::vector<Receipt> receipts = {{"s", "m1", "h1"}, {"s", "m2", "h\"2"}};
  EXPECT_EQ(json::parse(sqs_delete_body("u", receipts)), json::parse(R"({"QueueUrl":"u","Entries":[
      {"Id":"0","ReceiptHandle":"h1"},{"Id":"1","ReceiptHandle":"h\"2"}]})"));
  EXPECT_EQ(json::parse(sqs_visibility_body("u", receipts, std::chrono::seconds(60))),
            json::parse(R"({"QueueUrl":"u","Entries":[{"Id":"0","ReceiptHandle":"h1","VisibilityTimeout":60},
      {"Id":"1","ReceiptHandle":"h\"2","VisibilityTimeout":60}]})"));
}

TEST(SqsRequest, ReceivedMessagesAreRead) {
  const auto messages = parse_sqs_messages(
      R"({"Messages":[{"MessageId":"m1","ReceiptHandle":"h1","MD5OfBody":"x","Body":"{}"},
                      {"MessageId":"m2","ReceiptHandle":"h2","Body":"\u00fc",
                       "Attributes":{"ApproximateReceiveCount":"17"}}]})");
  ASSERT_TRUE(messages);
  ASSERT_EQ(messages->size(), 2U);
  EXPECT_EQ((*messages)[0].id, "m1");
  EXPECT_EQ((*messages)[0].receipt_handle, "h1");
  EXPECT_EQ((*messages)[0].receives, 0) << "the server did not say";
  EXPECT_EQ((*messages)[1].body, "\xC3\xBC");
  EXPECT_EQ((*messages)[1].receives, 17);
}

TEST(SqsRequest, DamagedBodyIsNoMessage) {
  const std::string answer =
      R"({"Messages":[{"MessageId":"m1","ReceiptHandle":"h1","MD5OfBody":"99914b932bd37a50b983c5e7c90ae93b","Body":")";
  ASSERT_TRUE(parse_sqs_messages(answer + R"({}"}]})"));
  EXPECT_TRUE(parse_sqs_messages(answer + R"([]"}]})").failed_with(ErrorKind::corrupt));
}

TEST(SqsRequest, RedrivePolicyIsReadWithItsCountAsTextOrNumber) {
  for (const char* count : {"5", R"(\"5\")"}) {
    const auto policy =
        parse_sqs_redrive_policy(std::string(R"({"Attributes":{"RedrivePolicy":)") +
                                 R"("{\"deadLetterTargetArn\":\"arn:dead\",\"maxReceiveCount\":)" + count + R"(}"}})");
    ASSERT_TRUE(policy) << policy.error().message;
    ASSERT_TRUE(policy->has_value());
    EXPECT_EQ((*policy)->dead_letter_queue, "arn:dead");
    EXPECT_EQ((*policy)->max_receives, 5);
  }
}

TEST(SqsRequest, AQueueWithoutRedrivePolicyIsNoFailure) {
  for (const char* answer : {"{}", R"({"Attributes":{}})", R"({"Attributes":null})", R"({"Attributes":{"X":"y"}})"}) {
    const auto policy = parse_sqs_redrive_policy(answer);
    ASSERT_TRUE(policy) << answer;
    EXPECT_FALSE(policy->has_value()) << answer;
  }
  for (const char* answer : {"", R"({"Attributes":{"RedrivePolicy":"no JSON"}})",
                             R"({"Attributes":{"RedrivePolicy":"{\"maxReceiveCount\":3}"}})"})
    EXPECT_TRUE(parse_sqs_redrive_policy(answer).failed_with(ErrorKind::corrupt)) << answer;
}

TEST(SqsRequest, AnEmptyQueueAnswersWithoutMessages) {
  for (const char* answer : {"{}", R"({"Messages":[]})", R"({"Messages":null})"}) {
    const auto messages = parse_sqs_messages(answer);
    ASSERT_TRUE(messages) << answer;
    EXPECT_TRUE(messages->empty());
  }
}

TEST(SqsRequest, AnAnswerThatIsNotTheServicesIsCorrupt) {
  for (const char* answer : {"", "<html>login</html>", "[]", R"({"Messages":[{"Body":"x"}]})", R"({"Messages":[7]})",
                             R"({"Messages":[{"MessageId":1,"ReceiptHandle":"h"}]})"})
    EXPECT_TRUE(parse_sqs_messages(answer).failed_with(ErrorKind::corrupt)) << answer;
  EXPECT_TRUE(parse_sqs_queue_url("{}").failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(parse_sqs_verdicts("gone", 1).failed_with(ErrorKind::corrupt));
}

// Semantics 35: an answer 200 tells failures one by one.
TEST(SqsRequest, EachEntryOfABatchHasItsOwnVerdict) {
  const auto verdicts = parse_sqs_verdicts(R"({"Successful":[{"Id":"2"}],"Failed":[
      {"Id":"0","SenderFault":true,"Code":"ReceiptHandleIsInvalid","Message":"expired"},
      {"Id":"1","SenderFault":false,"Code":"InternalError"},{"Id":"99","SenderFault":true},{"Id":"x"}]})",
                                           4);
  ASSERT_TRUE(verdicts);
  using Outcome = SqsVerdict::Outcome;
  EXPECT_EQ((*verdicts)[0].outcome, Outcome::refused);
  EXPECT_EQ((*verdicts)[0].reason, "ReceiptHandleIsInvalid: expired");
  EXPECT_EQ((*verdicts)[1].outcome, Outcome::failed);
  EXPECT_EQ((*verdicts)[2].outcome, Outcome::done);
  EXPECT_EQ((*verdicts)[3].outcome, Outcome::failed) << "not mentioned is not deleted";
}

// They go into the log.
TEST(SqsRequest, ReasonsAreShortAndOnOneLine) {
  const std::string long_text(5000, 'x');
  const auto verdicts =
      parse_sqs_verdicts(R"({"Failed":[{"Id":"0","Code":"a\nb","Message":"\u001b[2J)" + long_text + R"("}]})", 1);
  ASSERT_TRUE(verdicts);
  const std::string& reason = verdicts->front().reason;
  EXPECT_TRUE(reason.starts_with("a b:  [2Jxxx")) << reason;
  EXPECT_LE(reason.size(), 500U);
}

}  // namespace
}  // namespace repoupdate
