// SPDX-License-Identifier: Apache-2.0
#include "io/webhook_request.hpp"

#include <gtest/gtest.h>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

using Next = WebhookVerdict::Next;

const WebhookAccess k_secret{"s3cret", ""};
const WebhookAccess k_with_user{"s3cret", "rgw"};

WebhookRequest post() {
  return {.method = "POST", .path = "/events"};
}

WebhookRequest authorized(const std::string& header) {
  WebhookRequest request = post();
  request.authorization = header;
  return request;
}

WebhookRequest with_token(const std::string& token) {
  WebhookRequest request = post();
  request.token = token;
  return request;
}

TEST(WebhookRequest, EveryMethodAndPathHasItsAnswer) {
  const struct {
    const char *method, *path;
    int status;  // 0: the body is taken; 1: health is checked
    const char* allow;
  } cases[] = {
      {"POST", "/events", 0, ""},
      {"HEAD", "/events", 200, "POST, HEAD, OPTIONS"},
      {"OPTIONS", "/events", 200, "POST, HEAD, OPTIONS"},
      {"GET", "/events", 405, "POST, HEAD, OPTIONS"},
      {"PUT", "/events", 405, "POST, HEAD, OPTIONS"},
      {"DELETE", "/events", 405, "POST, HEAD, OPTIONS"},
      {"GET", "/healthz", 1, ""},
      {"HEAD", "/healthz", 1, ""},
      {"POST", "/healthz", 405, "GET, HEAD"},
      {"POST", "/", 404, ""},
      {"POST", "/events/", 404, ""},
      {"POST", "/Events", 404, ""},
      {"POST", "", 404, ""},
  };
  for (const auto& c : cases) {
    const auto verdict = judge_request({.method = c.method, .path = c.path}, {});
    const int status = verdict.next == Next::take_body      ? 0
                       : verdict.next == Next::check_health ? 1
                                                            : verdict.answer.status;
    EXPECT_EQ(status, c.status) << c.method << ' ' << c.path;
    EXPECT_EQ(verdict.answer.allow, c.allow) << c.method << ' ' << c.path;
  }
}

TEST(WebhookRequest, OnlyWhoKnowsTheSecretMaySend) {
  const std::string pair = to_base64("rgw:s3cret");
  const struct {
    WebhookRequest request;
    const WebhookAccess& access;
    bool may;
  } cases[] = {
      {post(), {}, true},
      {post(), k_secret, false},
      {authorized("Bearer s3cret"), k_secret, true},
      {authorized("bearer  s3cret"), k_secret, true},
      {authorized("Bearer s3cre"), k_secret, false},
      {authorized("Bearer s3cret2"), k_secret, false},
      {authorized("Bearer "), k_secret, false},
      {authorized("Bearer"), k_secret, false},
      {authorized("s3cret"), k_secret, false},
      {authorized("Basic " + pair), k_secret, false},  // no user is configured
      {authorized("Basic " + pair), k_with_user, true},
      {authorized("Bearer s3cret"), k_with_user, true},
      {authorized("Basic " + to_base64("rgw:wrong")), k_with_user, false},
      {authorized("Basic " + to_base64("other:s3cret")), k_with_user, false},
      {authorized("Basic " + to_base64("s3cret")), k_with_user, false},
      {authorized("Basic !"), k_with_user, false},
      {with_token("s3cret"), k_secret, true},
      {with_token("wrong"), k_secret, false},
      {authorized("Negotiate x"), k_with_user, false},
  };
  for (const auto& c : cases) {
    const auto verdict = judge_request(c.request, c.access);
    EXPECT_EQ(verdict.next == Next::take_body, c.may) << c.request.authorization << c.request.token;
    EXPECT_TRUE(c.may || verdict.answer.status == 401) << c.request.authorization;
    EXPECT_EQ(verdict.answer.text.find("s3cret"), std::string::npos);
  }
}

TEST(WebhookRequest, ProbesNeedNoSecret) {
  EXPECT_EQ(judge_request({.method = "HEAD", .path = "/events"}, k_secret).answer.status, 200);
  EXPECT_EQ(judge_request({.method = "GET", .path = "/healthz"}, k_secret).next, Next::check_health);
}

TEST(WebhookRequest, LargeAndEncodedBodiesAreRefusedBeforeTheyAreRead) {
  WebhookRequest request = post();
  request.content_length = k_max_webhook_body;
  EXPECT_EQ(judge_request(request, {}).next, Next::take_body);
  request.content_length += 1;
  EXPECT_EQ(judge_request(request, {}).answer.status, 413);
  EXPECT_EQ(judge_request(request, k_secret).answer.status, 401);  // strangers are not told more
  request = post();
  request.content_encoding = "gzip";
  EXPECT_EQ(judge_request(request, {}).answer.status, 415);
}

TEST(WebhookBody, EventsAreStoredAndForeignTextIsNot) {
  const std::string record = R"({"eventSource":"ceph:s3","s3":{"bucket":{"name":"b"},"object":{"key":"a.rpm"}}})";
  const struct {
    std::string body;
    int status;
    bool store, problem;
  } cases[] = {
      {R"({"Records":[)" + record + "]}", 200, true, false},
      // MinIO's shape.
      {R"({"EventName":"s3:ObjectCreated:Put","Key":"b/a.rpm","Records":[)" + record + "]}", 200, true, false},
      // What can be read is not lost to what cannot.
      {R"({"Records":[)" + record + R"(,{"s3":{}}]})", 200, true, true},
      // A notification, but nothing of it can be read: the store must not send it for ever.
      {R"({"Records":[{"s3":{}}]})", 200, true, true},
      {"", 200, false, false},
      {" \r\n", 200, false, false},
      {R"({"Records":[]})", 200, false, false},
      {R"({"Event":"s3:TestEvent","Bucket":"b"})", 200, false, false},
      {"{}", 400, false, true},
      {"[]", 400, false, true},
      {"Records", 400, false, true},
      {R"({"Records":"no"})", 400, false, true},
      {R"({"Records":[)", 400, false, true},
      {R"({"Type":"SubscriptionConfirmation","TopicArn":"t"})", 400, false, true},
  };
  for (const auto& c : cases) {
    const auto judged = judge_body(c.body);
    EXPECT_EQ(judged.answer.status, c.status) << c.body;
    EXPECT_EQ(judged.store, c.store) << c.body;
    EXPECT_EQ(!judged.problem.empty(), c.problem) << c.body << ": " << judged.problem;
  }
}

}  // namespace
}  // namespace repoupdate
