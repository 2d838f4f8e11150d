// SPDX-License-Identifier: Apache-2.0
#include "io/http_client.hpp"

#include <gtest/gtest.h>

#include "testkit/loopback_server.hpp"

namespace repoupdate {
namespace {

using namespace std::chrono_literals;

HttpRequest request_to(const LoopbackServer& server, std::string method = "GET") {
  HttpRequest request;
  request.method = std::move(method);
  request.scheme = "http";
  request.host = server.host();
  return request;
}

TEST(HttpClient, GivesAnyStatusWithItsHeadersAndBody) {
  LoopbackServer server([](const WireRequest&, int) { return answer(404, {{"X-Thing", " a b "}}, "gone"); });
  HttpClient client({});
  const auto response = client.send(request_to(server), {});
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->header("x-thing"), "a b");
  EXPECT_EQ(response->body, "gone");
}

TEST(HttpClient, KeepsConnectionsForLaterRequests) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200, {}, "x"); });
  HttpClient client({});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(client.send(request_to(server), {}).ok());
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, SendsThePathAndHeadersAsTheyAreSigned) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClient client({});
  HttpRequest request = request_to(server, "PUT");
  request.path = "/b/./x/..//+";
  request.query = {{"uploads", ""}};
  request.headers = {{"host", "signed.example"}, {"x-amz-empty", ""}, {"if-match", "\"e\""}};
  HttpExchange exchange;
  const std::string body(2 << 20, 'b');  // large enough for libcurl to ask whether it may
  exchange.body = body;
  ASSERT_TRUE(client.send(request, exchange).ok());
  const WireRequest sent = server.requests().at(0);
  EXPECT_EQ(sent.target, "/b/./x/..//%2B?uploads=");
  EXPECT_EQ(sent.header("host"), "signed.example");
  EXPECT_EQ(sent.header("if-match"), "\"e\"");
  EXPECT_TRUE(sent.headers.contains("x-amz-empty"));
  EXPECT_FALSE(sent.headers.contains("expect"));
  EXPECT_EQ(sent.header("content-length"), std::to_string(body.size()));
  EXPECT_EQ(sent.body, body);
}

TEST(HttpClient, AnEmptyPostSaysThatItIsEmpty) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClient client({});
  ASSERT_TRUE(client.send(request_to(server, "POST"), {}).ok());
  EXPECT_EQ(server.requests().at(0).method, "POST");
  EXPECT_EQ(server.requests().at(0).header("content-length"), "0");
}

TEST(HttpClient, AnswerToHeadHasALengthAndNoBody) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200, {{"Content-Length", "12345"}}); });
  HttpClient client({});
  const auto response = client.send(request_to(server, "HEAD"), {});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->header("content-length"), "12345");
  EXPECT_TRUE(response->body.empty());
}

TEST(HttpClient, FollowsNoRedirect) {
  LoopbackServer server([](const WireRequest&, int) { return answer(307, {{"Location", "/elsewhere"}}); });
  HttpClient client({});
  const auto response = client.send(request_to(server), {});
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 307);
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, StreamsASuccessIntoTheSinkAndAFailureIntoTheBody) {
  LoopbackServer server([](const WireRequest&, int number) {
    return number == 1 ? answer(200, {{"ETag", "\"e\""}}, "bytes") : answer(500, {}, "sorry");
  });
  HttpClient client({});
  std::string taken;
  std::string etag;
  HttpExchange exchange;
  exchange.on_head = [&](const HttpResponse& head) {
    EXPECT_TRUE(taken.empty());
    etag = head.header("etag");
    return Result<void>();
  };
  exchange.sink = [&](std::string_view bytes) {
    taken += bytes;
    return Result<void>();
  };
  ASSERT_TRUE(client.send(request_to(server), exchange).ok());
  EXPECT_EQ(etag, "\"e\"");
  EXPECT_EQ(taken, "bytes");
  EXPECT_EQ(client.send(request_to(server), exchange)->body, "sorry");
  EXPECT_EQ(taken, "bytes");
}

TEST(HttpClient, UploadsFromAFunctionThatGivesWhatItLikes) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClient client({});
  const std::string bytes = "0123456789";
  HttpExchange exchange;
  exchange.upload_size = bytes.size();
  exchange.upload = [&](std::uint64_t offset) {
    return Result<std::string_view>(std::string_view(bytes).substr(offset, 3));
  };
  ASSERT_TRUE(client.send(request_to(server, "PUT"), exchange).ok());
  EXPECT_EQ(server.requests().at(0).body, bytes);
}

TEST(HttpClient, PassesOnTheErrorsOfItsCallbacks) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200, {}, "bytes"); });
  HttpClient client({});
  HttpExchange full;
  full.sink = [](std::string_view) { return Result<void>(Error{ErrorKind::no_space, "disk full", {}}); };
  EXPECT_TRUE(client.send(request_to(server), full).failed_with(ErrorKind::no_space));
  HttpExchange unreadable;
  unreadable.upload_size = 5;
  unreadable.upload = [](std::uint64_t) { return Result<std::string_view>(Error{ErrorKind::corrupt, "shorter", {}}); };
  EXPECT_TRUE(client.send(request_to(server, "PUT"), unreadable).failed_with(ErrorKind::corrupt));
  HttpExchange unwanted;
  unwanted.on_head = [](const HttpResponse&) { return Result<void>(Error{ErrorKind::invalid, "not this", {}}); };
  EXPECT_TRUE(client.send(request_to(server), unwanted).failed_with(ErrorKind::invalid));
}

TEST(HttpClient, TakesNoMoreThanTheLimit) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200, {}, "12345"); });
  HttpClient client({});
  HttpExchange exchange;
  exchange.body_limit = 5;
  EXPECT_TRUE(client.send(request_to(server), exchange).ok());
  exchange.body_limit = 4;
  EXPECT_TRUE(client.send(request_to(server), exchange).failed_with(ErrorKind::invalid));
}

TEST(HttpClient, TruncatedBodyIsNoAnswer) {
  LoopbackServer server([](const WireRequest&, int) {
    WireAnswer cut = answer(200, {{"Content-Length", "100"}}, "only this");
    cut.then_close = true;
    return cut;
  });
  HttpClient client({});
  EXPECT_TRUE(client.send(request_to(server), {}).failed_with(ErrorKind::unavailable));
}

TEST(HttpClient, NobodyListeningIsUnavailable) {
  HttpRequest request;
  {
    LoopbackServer gone([](const WireRequest&, int) { return answer(200); });
    request = request_to(gone);
  }
  HttpClient client({});
  EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::unavailable));
}

TEST(HttpClient, EarlyRefusalOfAnUploadIsTheAnswer) {
  LoopbackServer server([](const WireRequest&, int) {
    WireAnswer refusal = answer(403, {{"Connection", "close"}}, "no");
    refusal.then_close = true;
    return refusal;
  });
  HttpClient client({});
  HttpRequest request = request_to(server, "PUT");
  request.headers = {{"content-length", "0"}};  // this server does not wait for the body
  HttpExchange exchange;
  const std::string body(8 << 20, 'x');
  exchange.body = body;
  const auto response = client.send(request, exchange);
  ASSERT_TRUE(response.ok()) << response.error().text();
  EXPECT_EQ(response->status, 403);
}

TEST(HttpClient, GivesUpAtItsDeadline) {
  LoopbackServer server([](const WireRequest&, int) { return WireAnswer{{}, false, true}; });
  HttpClient client({});
  HttpExchange exchange;
  exchange.timeout = 100ms;
  EXPECT_TRUE(client.send(request_to(server), exchange).failed_with(ErrorKind::timed_out));
}

TEST(HttpClient, StopsInTheMiddleOfATransfer) {
  std::stop_source stop;
  LoopbackServer server([&stop](const WireRequest&, int) {
    stop.request_stop();
    return WireAnswer{{}, false, true};
  });
  HttpClient client({});
  HttpExchange exchange;
  exchange.stop = stop.get_token();
  EXPECT_TRUE(client.send(request_to(server), exchange).failed_with(ErrorKind::cancelled));
  EXPECT_TRUE(client.send(request_to(server), exchange).failed_with(ErrorKind::cancelled));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST(HttpClient, SaysWhenADeadConnectionMadeItSendTwice) {
  LoopbackServer server([](const WireRequest&, int number) {
    // The second request is read whole, and its connection then closed without a word.
    return number == 2 ? no_answer() : answer(200, {}, "x");
  });
  HttpClient client({});
  HttpExchange exchange;
  exchange.body = "body";
  EXPECT_FALSE(client.send(request_to(server, "PUT"), exchange)->resent);
  const auto second = client.send(request_to(server, "PUT"), exchange);
  ASSERT_TRUE(second.ok()) << second.error().text();
  EXPECT_EQ(server.requests().size(), 3U);
  EXPECT_TRUE(second->resent);
}

TEST(HttpClient, RefusesALineBreakInAHeader) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClient client({});
  HttpRequest request = request_to(server);
  request.headers = {{"cache-control", "no-cache\r\nx-amz-acl: public-read"}};
  EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(server.requests().empty());
}

TEST(HttpClient, SpeaksHttpOnly) {
  HttpClient client({});
  HttpRequest request;
  request.scheme = "file";
  request.path = "/etc/hostname";
  EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
