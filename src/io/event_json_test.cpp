// SPDX-License-Identifier: Apache-2.0
#include "io/event_json.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace repoupdate {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

json s3_record(const std::string& key, const std::string& source = "aws:s3") {
  return {{"eventSource", source},
          {"eventName", "ObjectCreated:Put"},
          {"s3", {{"bucket", {{"name", "packages"}}}, {"object", {{"key", key}, {"size", 5}}}}}};
}

json s3_notification(const std::vector<std::string>& keys) {
  json records = json::array();
  for (const auto& key : keys) records.push_back(s3_record(key));
  return {{"Records", records}};
}

json sns_envelope(const json& message) {
  return {{"Type", "Notification"},
          {"MessageId", "1"},
          {"TopicArn", "arn:aws:sns:eu-west-1:123456789012:packages"},
          {"Message", message.dump()}};
}

json event_bridge(const std::string& type, const std::string& key) {
  return {{"version", "0"},
          {"detail-type", type},
          {"source", "aws.s3"},
          {"detail", {{"bucket", {{"name", "packages"}}}, {"object", {{"key", key}}}}}};
}

std::vector<std::string> keys(const ParsedBody& parsed) {
  std::vector<std::string> found;
  for (const Event& event : parsed.events) found.push_back(event.bucket + ":" + event.key);
  return found;
}

ParsedBody parse(const json& body) {
  return parse_event_body(body.dump());
}

// Semantics 1: every entry of Records[], not only the first.
TEST(EventJson, EveryRecordOfANotificationIsRead) {
  const auto parsed = parse(s3_notification({"el9/a.rpm", "el9/b.rpm", "el9/c.rpm"}));
  EXPECT_THAT(keys(parsed), ElementsAre("packages:el9/a.rpm", "packages:el9/b.rpm", "packages:el9/c.rpm"));
  EXPECT_EQ(parsed.problem, "");
}

TEST(EventJson, RemovalsAreToldFromTheRest) {
  json body = s3_notification({"a.rpm", "b.rpm", "c.rpm"});
  body["Records"][1]["eventName"] = "s3:ObjectRemoved:Delete";
  body["Records"][2]["eventName"] = "LifecycleExpiration:DeleteMarkerCreated";
  const auto parsed = parse(body);
  ASSERT_EQ(parsed.events.size(), 3u);
  EXPECT_FALSE(parsed.events[0].said_gone);
  EXPECT_TRUE(parsed.events[1].said_gone);
  EXPECT_TRUE(parsed.events[2].said_gone);
  EXPECT_TRUE(parse(event_bridge("Object Deleted", "a.rpm")).events[0].said_gone);
  EXPECT_FALSE(parse(event_bridge("Object Created", "a.rpm")).events[0].said_gone);
  body["Records"][1].erase("eventName");
  EXPECT_FALSE(parse(body).events[1].said_gone);
}

// Semantics 3: a bare notification is form-encoded, and the spelling of the message is kept beside it.
TEST(EventJson, KeyOfABareNotificationIsFormDecoded) {
  const auto parsed = parse(s3_notification({"pool%2Fgtk%2B-c%2B%2B_lib-1.0~rc1%5Egit+x%20y.rpm", "%C3%BC.rpm"}));
  ASSERT_EQ(parsed.events.size(), 2U);
  EXPECT_EQ(parsed.events[0].key, "pool/gtk+-c++_lib-1.0~rc1^git x y.rpm");
  EXPECT_EQ(parsed.events[0].raw_key, "pool%2Fgtk%2B-c%2B%2B_lib-1.0~rc1%5Egit+x%20y.rpm");
  EXPECT_EQ(parsed.events[1].key, "\xC3\xBC.rpm");
}

TEST(EventJson, EscapeIsDecodedOnceAndABarePercentStays) {
  EXPECT_THAT(keys(parse(s3_notification({"a%2520b.rpm", "50%.rpm", "x%zz.rpm", "y%4"}))),
              ElementsAre("packages:a%20b.rpm", "packages:50%.rpm", "packages:x%zz.rpm", "packages:y%4"));
}

TEST(EventJson, CephSendsTheKeyRawAndMinioEncoded) {
  const auto parsed =
      parse({{"EventName", "s3:ObjectCreated:Put"},
             {"Key", "packages/a+b.rpm"},
             {"Records", {s3_record("a+b~1^x y.rpm", "ceph:s3"), s3_record("pool%2Fa%2Bb.rpm", "minio:s3")}}});
  EXPECT_THAT(keys(parsed), ElementsAre("packages:a+b~1^x y.rpm", "packages:pool/a+b.rpm"));
}

TEST(EventJson, EventBridgeKeyIsNotDecoded) {
  for (const char* type : {"Object Created", "Object Deleted", "Object Restore Completed"})
    EXPECT_THAT(keys(parse(event_bridge(type, "a b+c%20d.rpm"))), ElementsAre("packages:a b+c%20d.rpm"));
}

TEST(EventJson, SnsAndLambdaEnvelopesAreOpened) {
  const json wrapped = sns_envelope(s3_notification({"a%2Bb.rpm"}));
  EXPECT_THAT(keys(parse(wrapped)), ElementsAre("packages:a+b.rpm"));
  EXPECT_THAT(keys(parse(sns_envelope(event_bridge("Object Created", "a+b.rpm")))), ElementsAre("packages:a+b.rpm"));
  const json lambda = {{"Records",
                        {{{"eventSource", "aws:sqs"}, {"body", wrapped.dump()}},
                         {{"eventSource", "aws:sqs"}, {"body", s3_notification({"c.rpm", "d.rpm"}).dump()}}}}};
  EXPECT_THAT(keys(parse(lambda)), ElementsAre("packages:a+b.rpm", "packages:c.rpm", "packages:d.rpm"));
}

// Semantics 2.
TEST(EventJson, TestEventIsUnderstoodAndNamesNothing) {
  const json test_event = {{"Service", "Amazon S3"}, {"Event", "s3:TestEvent"}, {"Bucket", "packages"}};
  for (const json& body : {test_event, sns_envelope(test_event)}) {
    EXPECT_THAT(parse(body).events, IsEmpty());
    EXPECT_EQ(parse(body).problem, "");
  }
}

// Semantics 9: a bad record costs its neighbours nothing, and is not dropped silently.
TEST(EventJson, BadRecordIsNamedAndItsNeighboursAreKept) {
  json body = s3_notification({"a.rpm", "nul%00.rpm", std::string(1025, 'x'), "", "b.rpm"});
  body["Records"].push_back({{"eventSource", "aws:dynamodb"}});
  const auto parsed = parse(body);
  EXPECT_THAT(keys(parsed), ElementsAre("packages:a.rpm", "packages:b.rpm"));
  for (const char* part : {"record 2: the key 'nul?.rpm' has a NUL", "record 3: ", "longer than 1024 bytes",
                           "record 4: names no object key", "record 6: no S3 record but"})
    EXPECT_THAT(parsed.problem, HasSubstr(part));
}

TEST(EventJson, ProblemSaysWhatWasFound) {
  const auto problem = [](const std::string& body) {
    const auto parsed = parse_event_body(body);
    EXPECT_THAT(parsed.events, IsEmpty());
    return parsed.problem;
  };
  EXPECT_THAT(problem("hello\nworld"), HasSubstr("no JSON: it begins with 'hello?world'"));
  EXPECT_THAT(problem(""), HasSubstr("no JSON"));
  EXPECT_THAT(problem(R"({"Records":[)"), HasSubstr("no JSON"));
  EXPECT_THAT(problem("[1]"), HasSubstr("a JSON array"));
  EXPECT_THAT(problem(R"({"order":1,"price":2})"), HasSubstr("a JSON object with 'order, price'"));
  EXPECT_THAT(problem(R"({"Records":7})"), HasSubstr("Records is a JSON number"));
  EXPECT_THAT(problem(R"({"Records":[7,{"s3":[]},{"eventSource":"aws:sqs","body":1}]})"),
              HasSubstr("record 1: no S3 record but a JSON number; record 2: names no bucket; record 3: "));
  EXPECT_THAT(problem(R"({"detail-type":"Scheduled Event"})"), HasSubstr("without a detail"));
  EXPECT_THAT(problem(R"({"Type":"SubscriptionConfirmation","TopicArn":"arn","Message":"You have chosen"})"),
              HasSubstr("confirm it"));
}

TEST(EventJson, SizeAndNestingAreLimited) {
  EXPECT_THAT(parse_event_body(std::string(k_max_event_body + 1, ' ')).problem, HasSubstr("1 MiB"));
  EXPECT_THAT(parse_event_body(std::string(500'000, '[')).problem, HasSubstr("nested deeper"));
  EXPECT_THAT(parse_event_body(R"({"Records":)" + std::string(40, '[') + std::string(40, ']') + "}").problem,
              HasSubstr("nested deeper"));
  json body = s3_notification({"a.rpm"});
  for (int i = 0; i < k_max_event_envelopes; ++i) body = sns_envelope(body);
  EXPECT_THAT(keys(parse(body)), ElementsAre("packages:a.rpm"));
  EXPECT_THAT(parse(sns_envelope(body)).problem, HasSubstr("within each other"));
}

}  // namespace
}  // namespace repoupdate
