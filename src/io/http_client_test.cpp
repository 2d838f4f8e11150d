// SPDX-License-Identifier: Apache-2.0
#include "io/http_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

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

// A handle keeps the options of the request before, each of which would spoil another kind of request.
TEST(HttpClient, NoRequestTakesAnythingOverFromTheOneBefore) {
  LoopbackServer server([](const WireRequest& request, int) {
    return request.method == "HEAD" ? answer(200, {{"Content-Length", "7"}}) : answer(200, {}, request.method);
  });
  HttpClient client({});
  const std::vector<std::string> methods{"GET", "PUT", "HEAD", "POST", "DELETE"};
  const auto send = [&](const std::string& method, std::string_view header) {
    HttpExchange exchange;
    if (method == "PUT" || method == "POST") exchange.body = method;
    HttpRequest request = request_to(server, method);
    request.headers = {{std::string(header), "1"}};
    const auto response = client.send(request, exchange);
    ASSERT_TRUE(response.ok()) << response.error().text();
    EXPECT_EQ(response->body, method == "HEAD" ? "" : method);
  };
  for (const std::string& before : methods)
    for (const std::string& method : methods) {
      SCOPED_TRACE(before + ", then " + method);
      send(before, "x-before");
      send(method, "x-now");
      const WireRequest arrived = server.requests().back();
      EXPECT_EQ(arrived.method, method);
      EXPECT_EQ(arrived.body, method == "PUT" || method == "POST" ? method : "");
      EXPECT_EQ(arrived.headers.contains("content-length"), !arrived.body.empty());
      EXPECT_TRUE(arrived.headers.contains("x-now") && !arrived.headers.contains("x-before"));
    }
  EXPECT_EQ(server.connections(), 1);
}

TEST(HttpClient, DeadlineIsOfOneRequest) {
  std::atomic<bool> slow{false};
  LoopbackServer server([&](const WireRequest&, int) {
    if (slow) std::this_thread::sleep_for(400ms);
    return answer(200);
  });
  HttpClient client({});
  HttpExchange hurried;
  hurried.timeout = 200ms;
  // Over a kept connection, since a handle that opened one is reset; many times, as a busy machine may be late.
  bool in_time = false;
  for (int i = 0; i < 50 && !in_time; ++i) {
    ASSERT_TRUE(client.send(request_to(server), {}).ok());
    in_time = client.send(request_to(server), hurried).ok();
  }
  ASSERT_TRUE(in_time);
  slow = true;
  EXPECT_TRUE(client.send(request_to(server), {}).ok());
}

// libcurl counts what it sends again.
TEST(HttpClient, ManyDeadConnectionsOneAfterTheOtherAreNoFailure) {
  LoopbackServer server([](const WireRequest&, int number) { return number % 2 == 0 ? no_answer() : answer(200); });
  HttpClient client({});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(client.send(request_to(server), {}).ok()) << i;
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

TEST(HttpClient, TruncatedHeadIsNoAnswer) {
  for (const char* head : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Le",
                           "HTTP/1.1 200 OK\r\nContent-Length: 1", "HTTP/1.1 404 Not Found\r\nContent-Le"}) {
    LoopbackServer server([&](const WireRequest&, int) { return WireAnswer{.bytes = head, .then_close = true}; });
    HttpClient client({});
    for (const char* method : {"GET", "HEAD", "PUT"}) {
      HttpRequest request = request_to(server);
      request.method = method;
      EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::unavailable)) << method << ' ' << head;
    }
  }
}

// Half a refusal may not say which one it is: a 404 of which store, a 503 for which reason.
TEST(HttpClient, TruncatedRefusalOfADownloadIsNoAnswer) {
  LoopbackServer server([](const WireRequest&, int) {
    WireAnswer cut = answer(404, {{"Content-Length", "100"}}, "<Error><Code>NoSu");
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

TEST(HttpClient, GivesUpATransferThatStalls) {
  LoopbackServer server([](const WireRequest&, int) {
    return WireAnswer{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbegun", false, true};
  });
  HttpClientOptions options;
  options.stall_timeout = 1s;
  HttpClient client(options);
  EXPECT_TRUE(client.send(request_to(server), {}).failed_with(ErrorKind::timed_out));
}

TEST(HttpClient, GivesUpAConnectionThatDoesNotComeAbout) {
  // Waits for a request, and so never answers the greeting of TLS.
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClientOptions options;
  options.connect_timeout = 200ms;
  HttpClient client(options);
  HttpRequest request = request_to(server);
  request.scheme = "https";
  EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::timed_out));
}

TEST(HttpClient, CaBundleThatIsNotThereMayComeAndCondemnsNothing) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClientOptions options;
  options.ca_bundle = "/does/not/exist.pem";
  HttpClient client(options);
  HttpRequest request = request_to(server);
  request.scheme = "https";
  EXPECT_TRUE(client.send(request, {}).failed_with(ErrorKind::io));
}

// Begins transfers that never end, and waits until the server has all of them.
class Stalled {
public:
  Stalled(HttpClient& client, std::size_t count)
      : m_server([](const WireRequest&, int) {
          return WireAnswer{{}, false, true};
        }) {
    for (std::size_t i = 0; i < count; ++i)
      m_threads.emplace_back([&client, request = request_to(m_server), stop = m_stop.get_token()] {
        HttpExchange exchange;
        exchange.stop = stop;
        EXPECT_TRUE(client.send(request, exchange).failed_with(ErrorKind::cancelled));
      });
    while (m_server.requests().size() < count) std::this_thread::yield();
  }
  ~Stalled() { m_stop.request_stop(); }

private:
  LoopbackServer m_server;
  std::stop_source m_stop;
  std::vector<std::jthread> m_threads;  // joined first
};

TEST(HttpClient, Has64TransfersInFlight) {
  HttpClient client({});
  const Stalled stalled(client, 64);
}

TEST(HttpClient, BeginsNoMoreThanItsLimit) {
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClientOptions options;
  options.max_in_flight = 2;
  HttpClient client(options);
  HttpExchange impatient;
  impatient.timeout = 50ms;
  {
    const Stalled stalled(client, 2);
    const auto refused = client.send(request_to(server), impatient);
    ASSERT_TRUE(refused.failed_with(ErrorKind::timed_out));
    EXPECT_NE(refused.error().message.find("too many requests"), std::string::npos);
    std::stop_source stop;
    HttpExchange waiting;
    waiting.stop = stop.get_token();
    std::jthread stopper([&stop] { stop.request_stop(); });
    EXPECT_TRUE(client.send(request_to(server), waiting).failed_with(ErrorKind::cancelled));
    EXPECT_TRUE(server.requests().empty());
  }
  EXPECT_TRUE(client.send(request_to(server), {}).ok()) << "and gives the places back";
}

TEST(HttpClient, TransferInsideAnotherNeverWaitsForIt) {
  LoopbackServer outer([](const WireRequest&, int) { return answer(200, {}, "x"); });
  LoopbackServer inner([](const WireRequest&, int) { return answer(200, {}, "y"); });
  HttpClientOptions options;
  options.max_in_flight = 1;
  HttpClient client(options);
  HttpExchange exchange;
  exchange.sink = [&](std::string_view) {
    EXPECT_TRUE(client.send(request_to(inner), {}).ok());
    return Result<void>();
  };
  EXPECT_TRUE(client.send(request_to(outer), exchange).ok());
  // The connection that was used last is another host's.
  EXPECT_TRUE(client.send(request_to(inner), {}).ok());
  EXPECT_EQ(inner.connections(), 1);
}

// An environment variable, for one test.
class Variable {
public:
  Variable(const char* name, const std::string& value) : m_name(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(m_name); }

private:
  const char* m_name;
};

TEST(HttpClient, GoesThroughTheProxyOfTheEnvironment) {
  LoopbackServer proxy([](const WireRequest&, int) { return answer(200, {}, "from the proxy"); });
  const Variable http("http_proxy", proxy.url());
  HttpClient client({});
  HttpRequest request;
  request.scheme = "http";
  request.host = "store.example";
  request.path = "/b/k +";
  ASSERT_TRUE(client.send(request, {}).ok());
  EXPECT_EQ(proxy.requests().at(0).target, "http://store.example/b/k%20%2B");

  request.scheme = "https";
  const Variable https("HTTPS_PROXY", proxy.url());
  EXPECT_FALSE(client.send(request, {}).ok()) << "it has no TLS to offer";
  EXPECT_EQ(proxy.requests().at(1).method, "CONNECT");
  EXPECT_EQ(proxy.requests().at(1).target, "store.example:443");
}

TEST(HttpClient, GoesToNoProxyWhereItMustNot) {
  LoopbackServer proxy([](const WireRequest&, int) { return answer(500); });
  LoopbackServer server([](const WireRequest&, int) { return answer(200); });
  HttpClient client({});
  const Variable http("http_proxy", proxy.url());
  HttpExchange metadata;
  metadata.direct = true;
  EXPECT_EQ(client.send(request_to(server), metadata)->status, 200);
  {
    const Variable no_proxy("NO_PROXY", "example.org,127.0.0.1");
    EXPECT_EQ(client.send(request_to(server), {})->status, 200);
  }
  EXPECT_TRUE(proxy.requests().empty());
  EXPECT_EQ(client.send(request_to(server), {})->status, 500);
}

TEST(HttpClient, NamesNoSecretOfTheProxy) {
  HttpRequest request;
  request.scheme = "http";
  request.host = "store.example";
  const Variable http("http_proxy", "http://user:S3CRET@127.0.0.1:1");
  HttpClient client({});
  const auto response = client.send(request, {});
  ASSERT_TRUE(response.failed_with(ErrorKind::unavailable));
  EXPECT_EQ(response.error().message.find("S3CRET"), std::string::npos);
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

TEST(HttpClient, WhatGoesOnceIsNotSentAgainOverADeadConnection) {
  LoopbackServer server([](const WireRequest&, int number) { return number == 2 ? no_answer() : answer(204); });
  HttpClient client({});
  HttpExchange exchange;
  exchange.once = true;
  EXPECT_TRUE(client.send(request_to(server, "DELETE"), exchange).ok());
  EXPECT_TRUE(client.send(request_to(server, "DELETE"), exchange).failed_with(ErrorKind::unavailable));
  EXPECT_EQ(server.requests().size(), 2U);
  EXPECT_TRUE(client.send(request_to(server, "DELETE"), exchange).ok());
  EXPECT_TRUE(client.send(request_to(server, "DELETE"), {}).ok()) << "it is of one exchange alone";
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
