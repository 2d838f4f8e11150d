// SPDX-License-Identifier: Apache-2.0
#include "io/aws_sender.hpp"

#include <gtest/gtest.h>

#include <future>
#include <latch>

#include "io/sample_sender.hpp"
#include "io/timestamp.hpp"
#include "testkit/loopback_server.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

constexpr const char* k_slow_down = "<Error><Code>SlowDown</Code></Error>";

// A sender against a scripted server.
class AwsSenderTest : public SampleSender {
protected:
  void serve(LoopbackServer::Responder responder) { m_server = std::make_unique<LoopbackServer>(std::move(responder)); }

  AwsCall call(std::string method = "GET") const {
    AwsCall call;
    call.request.method = std::move(method);
    call.request.scheme = "http";
    call.request.host = m_server->host();
    call.request.path = "/k";
    call.scope = {"us-east-1", "s3"};
    call.subject = "s3://b/k";
    call.action = "s3:GetObject";
    return call;
  }

  AwsSender sender(AwsSenderOptions options = {}) { return {m_http, m_credentials, m_clock, options}; }

  std::unique_ptr<LoopbackServer> m_server;
};

TEST_F(AwsSenderTest, RepeatsWhatTheServiceCouldNotDoNow) {
  serve([](const WireRequest&, int number) {
    if (number == 1) return answer(503, {}, k_slow_down);
    if (number == 2) return answer(500);
    if (number == 3) return no_answer();
    return answer(200, {}, "done");
  });
  AwsSender sender = this->sender();
  const AwsOutcome outcome = sender.send(call());
  ASSERT_TRUE(outcome.response.ok()) << outcome.response.error().text();
  EXPECT_EQ(outcome.response->body, "done");
  EXPECT_EQ(m_server->requests().size(), 4U);
  EXPECT_TRUE(outcome.answer_lost);
}

TEST_F(AwsSenderTest, CountsEveryAttemptItsBytesAndWhyItWasRepeated) {
  serve([](const WireRequest&, int number) {
    if (number == 1) return answer(400, {}, "<Error><Code>BadDigest</Code></Error>");
    if (number == 2) return answer(503, {}, k_slow_down);
    if (number == 3) return answer(500);
    if (number == 4) return no_answer();  // on a kept connection: sent again at once, within the attempt
    return answer(number == 6 ? 404 : 200, {}, number == 5 ? "12345" : "");
  });
  MetricTable table;
  RequestMeter meter(table, "s3://b");
  AwsSender sender = this->sender();
  AwsCall put = call("PUT");
  put.action = "s3:PutObject";
  put.exchange.body = "ten bytes!";
  put.meter = &meter;
  ASSERT_TRUE(sender.send(put).response.ok());
  AwsCall head = call("HEAD");
  head.meter = &meter;
  EXPECT_TRUE(sender.send(head).response.failed_with(ErrorKind::not_found));
  std::string streamed;
  AwsCall get = call("GET");
  get.meter = &meter;
  get.exchange.sink = [&](std::string_view bytes) -> Result<void> {
    streamed += bytes;
    return {};
  };
  ASSERT_TRUE(sender.send(get).response.ok());
  const std::string text = table.exposition();
  const auto says = [&](const std::string& line) { return text.find("\n" + line + "\n") != std::string::npos; };
  const std::string put_line = "repoupdate_requests_total{store=\"s3://b\",operation=\"PutObject\",outcome=";
  for (const char* outcome : {"\"throttled\"} 1", "\"unavailable\"} 1", "\"corrupt\"} 1", "\"ok\"} 1"})
    EXPECT_TRUE(says(put_line + outcome)) << outcome << text;
  EXPECT_TRUE(says("repoupdate_requests_total{store=\"s3://b\",operation=\"HeadObject\",outcome=\"not_found\"} 1"))
      << text;
  EXPECT_TRUE(says("repoupdate_requests_total{store=\"s3://b\",operation=\"GetObject\",outcome=\"ok\"} 1")) << text;
  for (const char* cause : {"throttled", "server_error", "reset", "checksum"})
    EXPECT_TRUE(says("repoupdate_retries_total{store=\"s3://b\",cause=\"" + std::string(cause) + "\"} 1")) << text;
  EXPECT_TRUE(says("repoupdate_retries_total{store=\"s3://b\",cause=\"timeout\"} 0")) << text;
  EXPECT_TRUE(says("repoupdate_sent_bytes_total{store=\"s3://b\"} 40")) << text;
  const auto errors = std::string(k_slow_down).size() + std::string("<Error><Code>BadDigest</Code></Error>").size();
  EXPECT_TRUE(says("repoupdate_received_bytes_total{store=\"s3://b\"} " + std::to_string(errors + 5 + streamed.size())))
      << text;
}

TEST_F(AwsSenderTest, SendsAgainWhatArrivedDamaged) {
  for (const std::string code : {"BadDigest", "XAmzContentSHA256Mismatch"}) {
    serve([&](const WireRequest&, int number) {
      return number == 1 ? answer(400, {}, "<Error><Code>" + code + "</Code></Error>") : answer(200);
    });
    AwsSender sender = this->sender();
    AwsCall put = call("PUT");
    put.exchange.body = "body";
    const AwsOutcome outcome = sender.send(put);
    EXPECT_TRUE(outcome.response.ok()) << outcome.response.error().text();
    EXPECT_FALSE(outcome.answer_lost) << "it was refused";
    EXPECT_EQ(m_server->requests().back().body, "body");
  }
}

TEST_F(AwsSenderTest, WhatAlwaysArrivesDamagedIsSentThreeTimes) {
  serve([](const WireRequest&, int) { return answer(400, {}, "<Error><Code>BadDigest</Code></Error>"); });
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(call("PUT")).response.failed_with(ErrorKind::corrupt));
  EXPECT_EQ(m_server->requests().size(), 3U);
}

TEST_F(AwsSenderTest, ThrottlingDidNothingSoNoAnswerIsLost) {
  serve([](const WireRequest&, int number) { return number == 1 ? answer(503, {}, k_slow_down) : answer(412); });
  AwsSender sender = this->sender();
  const AwsOutcome outcome = sender.send(call("PUT"));
  EXPECT_TRUE(outcome.response.failed_with(ErrorKind::precondition_failed));
  EXPECT_FALSE(outcome.answer_lost);
}

// I11: these are answers, not accidents.
TEST_F(AwsSenderTest, RepeatsNoRefusal) {
  for (const int status : {400, 403, 404, 409, 412, 416, 501}) {
    // With an id it is the service's own; a bare 400 is repeated (AwsError.BareBadRequestIsNoVerdict).
    serve([status](const WireRequest&, int) { return answer(status, {{"x-amz-request-id", "R7"}}); });
    AwsSender sender = this->sender();
    EXPECT_FALSE(sender.send(call()).response.ok()) << status;
    EXPECT_EQ(m_server->requests().size(), 1U) << status;
  }
}

TEST_F(AwsSenderTest, GivesUpAfterTheLastAttemptAndSaysSo) {
  serve([](const WireRequest&, int) { return answer(503, {{"x-amz-request-id", "R7"}}); });
  AwsSenderOptions options;
  options.retry.attempts = 3;
  AwsSender sender = this->sender(options);
  const AwsOutcome outcome = sender.send(call());
  ASSERT_TRUE(outcome.response.failed_with(ErrorKind::unavailable));
  EXPECT_EQ(m_server->requests().size(), 3U);
  EXPECT_EQ(outcome.response.error().message, "s3://b/k: the service answers 503 (after 3 attempts)");
  EXPECT_EQ(outcome.response.error().request_id, "R7");
}

TEST_F(AwsSenderTest, WaitsAsLongAsTheServiceAsks) {
  serve([](const WireRequest&, int number) {
    return number == 1 ? answer(503, {{"Retry-After", "7"}}, k_slow_down) : answer(200);
  });
  AwsSender sender = this->sender();
  const SteadyTime start = m_clock.steady();
  ASSERT_TRUE(sender.send(call()).response.ok());
  EXPECT_GE(m_clock.steady() - start, std::chrono::seconds(7));
}

TEST_F(AwsSenderTest, UnderstandsEveryWayOfAskingToWait) {
  const struct {
    const char* name;
    const char* value;
    Duration wanted;
  } cases[] = {{"x-amz-retry-after", "2500", Duration(2500)},
               {"Retry-After", "Sat, 31 Jan 2026 23:59:59 GMT", std::chrono::seconds(9)},
               {"Retry-After", "99999999999", std::chrono::seconds(20)}};
  for (const auto& c : cases) {
    serve([&c](const WireRequest&, int number) {
      if (number > 1) return answer(200);
      return answer(503, {{c.name, c.value}, {"Date", "Sat, 31 Jan 2026 23:59:50 GMT"}}, k_slow_down);
    });
    AwsSender sender = this->sender();
    const SteadyTime start = m_clock.steady();
    ASSERT_TRUE(sender.send(call()).response.ok()) << c.value;
    EXPECT_GE(m_clock.steady() - start, c.wanted) << c.value;
  }
}

// It is not only the call that was told: all that goes to this service waits.
TEST_F(AwsSenderTest, ThrottlingHoldsBackOtherCallsToo) {
  serve([](const WireRequest&, int number) {
    return number == 1 ? answer(503, {{"Retry-After", "7"}}, k_slow_down) : answer(200);
  });
  AwsSenderOptions options;
  options.retry.throttled_attempts = 1;
  AwsSender sender = this->sender(options);
  const SteadyTime start = m_clock.steady();
  EXPECT_TRUE(sender.send(call()).response.failed_with(ErrorKind::throttled));
  EXPECT_EQ(m_clock.steady(), start);
  EXPECT_TRUE(sender.send(call()).response.ok());
  EXPECT_GE(m_clock.steady() - start, std::chrono::seconds(7));
}

// Too many hidden messages of one queue say nothing about the others.
TEST_F(AwsSenderTest, LimitOfOneQueueHoldsBackNobody) {
  serve([](const WireRequest&, int number) {
    return number == 1 ? answer(400, {{"Retry-After", "7"}}, R"({"__type":"com.amazonaws.sqs#OverLimit"})")
                       : answer(200);
  });
  AwsSender sender = this->sender();
  const SteadyTime start = m_clock.steady();
  EXPECT_TRUE(sender.send(call("POST")).response.failed_with(ErrorKind::throttled));
  EXPECT_EQ(m_server->requests().size(), 1U);
  EXPECT_TRUE(sender.send(call("POST")).response.ok());
  EXPECT_EQ(m_clock.steady(), start);
}

TEST_F(AwsSenderTest, BusyAnswerToHeadIsThrottlingWithoutABodyToSaySo) {
  serve([](const WireRequest&, int) { return answer(503, {{"Retry-After", "7"}}); });
  AwsSenderOptions options;
  options.retry.attempts = 1;
  options.retry.throttled_attempts = 1;
  AwsSender sender = this->sender(options);
  const SteadyTime start = m_clock.steady();
  EXPECT_TRUE(sender.send(call("HEAD")).response.failed_with(ErrorKind::throttled));
  EXPECT_TRUE(sender.send(call("GET")).response.failed_with(ErrorKind::unavailable));
  EXPECT_GE(m_clock.steady() - start, std::chrono::seconds(7)) << "all slow down";
}

TEST_F(AwsSenderTest, IsMorePatientWithAServiceThatIsBusyThanWithOneThatFails) {
  serve([](const WireRequest&, int number) { return number <= 8 ? answer(429) : answer(200); });
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(call()).response.ok());
}

TEST_F(AwsSenderTest, ServiceThatFailsEverythingIsSoonAskedOnlyOnceForEachCall) {
  serve([](const WireRequest&, int number) { return number <= 125 + 10 ? answer(500) : answer(200); });
  AwsSender sender = this->sender();
  for (int i = 0; i < 25; ++i) EXPECT_FALSE(sender.send(call()).response.ok());
  EXPECT_EQ(m_server->requests().size(), 125U);
  for (int i = 0; i < 10; ++i) {
    const AwsOutcome outcome = sender.send(call());
    ASSERT_FALSE(outcome.response.ok());
    EXPECT_NE(outcome.response.error().message.find("too much fails there"), std::string::npos);
  }
  EXPECT_EQ(m_server->requests().size(), 135U);
  EXPECT_TRUE(sender.send(call()).response.ok());
}

TEST_F(AwsSenderTest, DownloadThatGoesOnIsNotGivenUp) {
  const std::string bytes = "0123456789";
  serve([&](const WireRequest&, int number) {
    WireAnswer cut = answer(200, {{"Content-Length", "100"}}, bytes.substr(static_cast<std::size_t>(number) - 1, 1));
    cut.then_close = true;
    return number < 10 ? cut : answer(200, {}, bytes.substr(9));
  });
  AwsCall download = call();
  std::string taken;
  download.exchange.sink = [&](std::string_view piece) {
    taken += piece;
    return Result<void>();
  };
  download.before_retry = [](HttpRequest&) {};
  AwsSenderOptions options;
  options.retry.attempts = 3;
  AwsSender sender = this->sender(options);
  ASSERT_TRUE(sender.send(download).response.ok());
  EXPECT_EQ(taken, bytes);
}

TEST_F(AwsSenderTest, BeginsNoAttemptBeyondItsPatience) {
  serve([](const WireRequest&, int) { return answer(503, {{"Retry-After", "10"}}, k_slow_down); });
  AwsSenderOptions options;
  options.patience = std::chrono::seconds(15);
  AwsSender sender = this->sender(options);
  EXPECT_TRUE(sender.send(call()).response.failed_with(ErrorKind::throttled));
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(AwsSenderTest, StopsInsteadOfWaiting) {
  std::stop_source stop;
  serve([&stop](const WireRequest&, int) {
    stop.request_stop();
    return answer(503, {{"Connection", "close"}});
  });
  AwsSender sender = this->sender();
  AwsCall stopped = call();
  stopped.exchange.stop = stop.get_token();
  EXPECT_TRUE(sender.send(stopped).response.failed_with(ErrorKind::cancelled));
  EXPECT_EQ(m_server->requests().size(), 1U);
  m_server.reset();  // its threads use `stop`
}

// STS answers nothing, which is waited for much longer.
TEST_F(AwsSenderTest, StopsInsteadOfWaitingForCredentials) {
  std::stop_source stop;
  serve([&stop](const WireRequest&, int) {
    stop.request_stop();
    return WireAnswer{{}, false, true};
  });
  const ScratchDirectory directory;
  m_environment = {{"AWS_WEB_IDENTITY_TOKEN_FILE", directory.write("token", "T")},
                   {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"},
                   {"AWS_ENDPOINT_URL_STS", m_server->url()}};
  AwsSender sender = this->sender();
  AwsCall stopped = call();
  stopped.exchange.stop = stop.get_token();
  EXPECT_TRUE(sender.send(stopped).response.failed_with(ErrorKind::cancelled));
  m_server.reset();  // its threads use `stop`
}

TEST_F(AwsSenderTest, CorrectsAClockThatTheServiceFindsWrong) {
  const SystemTime theirs = *parse_http_date("Sat, 31 Jan 2026 23:59:59 GMT");
  serve([](const WireRequest& request, int) {
    const bool is_right = request.header("x-amz-date").starts_with("20260131T2359");
    return is_right ? answer(200) : answer(403, {{"Date", "Sat, 31 Jan 2026 23:59:59 GMT"}});
  });
  ASSERT_NE(m_clock.now(), theirs);
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(call("HEAD")).response.ok());
  EXPECT_TRUE(sender.send(call("HEAD")).response.ok());
  EXPECT_EQ(m_server->requests().size(), 3U);  // what was learnt is kept
}

// JSON services answer 400 where S3 answers 403.
TEST_F(AwsSenderTest, CorrectsTheClockForJsonServicesToo) {
  for (const std::string code : {"InvalidSignatureException", "RequestExpired"}) {
    serve([&](const WireRequest& request, int) {
      if (request.header("x-amz-date").starts_with("20260131T2359")) return answer(200);
      return answer(400, {{"Date", "Sat, 31 Jan 2026 23:59:59 GMT"}}, R"({"__type":"com.amazon.coral#)" + code + "\"}");
    });
    AwsSender sender = this->sender();
    EXPECT_TRUE(sender.send(call("POST")).response.ok()) << code;
    EXPECT_EQ(m_server->requests().size(), 2U) << code;
  }
}

// Both are signed by the wrong clock before either is answered. A server answers one request at a time, so there are
// two.
TEST_F(AwsSenderTest, CorrectsTheClockForAllThatWereUnderWay) {
  std::latch both_are_there(2);
  const auto respond = [&](const WireRequest& request, int number) {
    if (number == 1) both_are_there.arrive_and_wait();
    const bool is_right = request.header("x-amz-date").starts_with("20260131T2359");
    return is_right ? answer(200) : answer(403, {{"Date", "Sat, 31 Jan 2026 23:59:59 GMT"}});
  };
  serve(respond);
  const LoopbackServer other(respond);
  AwsSender sender = this->sender();
  AwsCall to_other = call();
  to_other.request.host = other.host();
  auto first = std::async(std::launch::async, [&] { return sender.send(to_other); });
  EXPECT_TRUE(sender.send(call()).response.ok());
  EXPECT_TRUE(first.get().response.ok());
  EXPECT_EQ(m_server->requests().size() + other.requests().size(), 4U);
}

TEST_F(AwsSenderTest, TakesADenialAtTheRightTimeAsOne) {
  serve([](const WireRequest&, int) { return answer(403, {{"Date", "Fri, 15 Jan 2027 08:00:01 GMT"}}); });
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(call()).response.failed_with(ErrorKind::denied));
  EXPECT_EQ(m_server->requests().size(), 1U);
}

TEST_F(AwsSenderTest, FetchesCredentialsAnewWhenTheyExpired) {
  serve([this](const WireRequest& request, int) {
    if (request.header("authorization").find("AKID2/") != std::string::npos) return answer(200);
    m_environment["AWS_ACCESS_KEY_ID"] = "AKID2";
    return answer(400, {}, "<Error><Code>ExpiredToken</Code></Error>");
  });
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(call()).response.ok());
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(AwsSenderTest, DeadlineLeavesNoTimeForNewCredentials) {
  serve([](const WireRequest&, int) { return answer(200); });
  const LoopbackServer container([this](const WireRequest&, int) {
    return answer(200, {},
                  R"({"AccessKeyId":"AKID","SecretAccessKey":"S3CRET","Token":"T","Expiration":")" +
                      to_iso8601(m_clock.now() + std::chrono::minutes(10)) + "\"}");
  });
  m_environment = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", container.url()}};
  AwsSender sender = this->sender();
  AwsCall parting = call();
  parting.deadline = m_clock.steady() + std::chrono::hours(1);
  EXPECT_FALSE(sender.send(parting).response.ok());
  EXPECT_TRUE(sender.send(call()).response.ok());
  m_clock.advance(std::chrono::minutes(6));  // new ones are due, these are good still
  EXPECT_TRUE(sender.send(parting).response.ok());
  EXPECT_EQ(container.requests().size(), 1U);
}

TEST_F(AwsSenderTest, DeadlineEndsAnExchange) {
  serve([](const WireRequest&, int) { return WireAnswer{{}, false, true}; });
  AwsSender sender = this->sender();
  AwsCall parting = call();
  parting.attempts = 1;
  parting.deadline = m_clock.steady() + Duration(100);
  EXPECT_TRUE(sender.send(parting).response.failed_with(ErrorKind::timed_out));
  m_clock.advance(Duration(100));
  EXPECT_TRUE(sender.send(parting).response.failed_with(ErrorKind::timed_out));
  EXPECT_LE(m_server->requests().size(), 1U);  // none, when the server was not in time either
}

// It is not even waited for: the caller learns what the service said.
TEST_F(AwsSenderTest, NoRetryBeginsAfterTheDeadline) {
  const SteadyTime start = m_clock.steady();
  serve([&](const WireRequest&, int) {
    EXPECT_LT(m_clock.steady(), start + std::chrono::seconds(20));
    return answer(503, {{"Retry-After", "8"}}, "<Error><Code>SlowDown</Code></Error>");
  });
  AwsSender sender = this->sender();
  AwsCall in_turn = call();
  in_turn.deadline = start + std::chrono::seconds(20);
  EXPECT_TRUE(sender.send(in_turn).response.failed_with(ErrorKind::throttled));
  EXPECT_LE(m_clock.steady(), *in_turn.deadline);
  EXPECT_EQ(m_server->requests().size(), 3U);
}

TEST_F(AwsSenderTest, NeverDeliversTheSameBytesTwice) {
  serve([](const WireRequest&, int) {
    WireAnswer cut = answer(200, {{"Content-Length", "100"}}, "the beginning");
    cut.then_close = true;
    return cut;
  });
  std::string taken;
  AwsCall download = call();
  download.exchange.sink = [&](std::string_view bytes) {
    taken += bytes;
    return Result<void>();
  };
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(download).response.failed_with(ErrorKind::unavailable));
  EXPECT_EQ(taken, "the beginning");
}

TEST_F(AwsSenderTest, PassesOnAnErrorOfTheSinkAsItIs) {
  serve([](const WireRequest&, int) { return answer(200, {}, "bytes"); });
  AwsCall download = call();
  download.exchange.sink = [](std::string_view) { return Result<void>(Error{ErrorKind::unavailable, "mine", {}}); };
  AwsSender sender = this->sender();
  const AwsOutcome outcome = sender.send(download);
  ASSERT_FALSE(outcome.response.ok());
  EXPECT_EQ(outcome.response.error().message, "mine");
  EXPECT_EQ(m_server->requests().size(), 1U);
}

TEST_F(AwsSenderTest, RepeatsASuccessThatItsCheckFindsToBeAFailure) {
  serve([](const WireRequest&, int number) { return answer(200, {}, number == 1 ? "failed" : "fine"); });
  AwsCall checked = call("POST");
  checked.check = [](const HttpResponse& response) -> Result<void> {
    if (response.body == "fine") return {};
    return Error{ErrorKind::unavailable, "inside", {}};
  };
  AwsSender sender = this->sender();
  EXPECT_TRUE(sender.send(checked).response.ok());
  EXPECT_EQ(m_server->requests().size(), 2U);
}

TEST_F(AwsSenderTest, SendsNothingWithoutCredentials) {
  serve([](const WireRequest&, int) { return answer(200); });
  m_environment = {{"AWS_EC2_METADATA_DISABLED", "true"}};
  AwsSender sender = this->sender();
  const AwsOutcome outcome = sender.send(call());
  ASSERT_TRUE(outcome.response.failed_with(ErrorKind::denied));
  EXPECT_TRUE(outcome.response.error().message.starts_with("s3://b/k: no AWS credentials"));
  EXPECT_TRUE(m_server->requests().empty());
}

// I14: a 404 for the keys is none for the package.
TEST_F(AwsSenderTest, CredentialsThatAreNotFoundAreNoMissingObject) {
  for (const int status : {404, 409, 412}) {
    serve([status](const WireRequest&, int) { return answer(status); });
    m_environment = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", m_server->url()}};
    AwsSender container = this->sender();
    EXPECT_TRUE(container.send(call()).response.failed_with(ErrorKind::denied)) << status;

    m_environment = {{"AWS_WEB_IDENTITY_TOKEN_FILE", __FILE__},
                     {"AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"},
                     {"AWS_ENDPOINT_URL_STS", m_server->url()}};
    AwsSender role = this->sender();
    EXPECT_TRUE(role.send(call()).response.failed_with(ErrorKind::denied)) << status;
  }
}

// A rebuild leaves out packages that are broken: it must not take keys that are for those.
TEST_F(AwsSenderTest, CredentialsThatCannotBeReadAreNoBrokenObject) {
  serve([](const WireRequest&, int) { return answer(200, {}, "{}"); });
  const ScratchDirectory home;
  const std::string keys = home.write("credentials", "[half]\naws_access_key_id = AKID\n");
  const std::string config = home.write("config",
                                        "[profile rubbish]\ncredential_process = /bin/echo rubbish\n"
                                        "[profile login]\nlogin_session = arn:aws:iam::123456789012:user/me\n");
  const struct {
    std::map<std::string, std::string> source;
    ErrorKind kind;
  } cases[] = {{{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", m_server->url()}}, ErrorKind::corrupt},
               {{{"AWS_PROFILE", "rubbish"}}, ErrorKind::corrupt},
               {{{"AWS_PROFILE", "half"}}, ErrorKind::invalid},
               {{{"AWS_PROFILE", "login"}}, ErrorKind::unsupported}};
  for (const auto& c : cases) {
    m_environment = {{"AWS_SHARED_CREDENTIALS_FILE", keys}, {"AWS_CONFIG_FILE", config}};
    m_environment.insert(c.source.begin(), c.source.end());
    ASSERT_TRUE(m_credentials.get().failed_with(c.kind)) << to_string(c.kind);
    AwsSender sender = this->sender();
    EXPECT_TRUE(sender.send(call()).response.failed_with(ErrorKind::denied)) << to_string(c.kind);
  }
}

TEST_F(AwsSenderTest, NamesNoSecretInAnyMessage) {
  serve([](const WireRequest&, int) { return answer(403, {}, "<Error><Code>SignatureDoesNotMatch</Code></Error>"); });
  AwsSender sender = this->sender();
  const AwsOutcome outcome = sender.send(call());
  EXPECT_EQ(outcome.response.error().text().find("S3CRET"), std::string::npos);
}

TEST_F(AwsSenderTest, SignsAJsonPostForSqs) {
  serve([](const WireRequest&, int) { return answer(200, {}, "{}"); });
  AwsCall receive = call("POST");
  receive.request.path = "/";
  receive.request.headers = {{"content-type", "application/x-amz-json-1.0"},
                             {"x-amz-target", "AmazonSQS.ReceiveMessage"}};
  receive.scope = {"eu-west-1", "sqs"};
  receive.exchange.body = R"({"QueueUrl":"q"})";
  AwsSender sender = this->sender();
  ASSERT_TRUE(sender.send(receive).response.ok());
  const WireRequest sent = m_server->requests().at(0);
  EXPECT_EQ(sent.body, R"({"QueueUrl":"q"})");
  EXPECT_NE(sent.header("authorization")
                .find("/eu-west-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;"
                      "x-amz-target, "),
            std::string::npos);
}

}  // namespace
}  // namespace repoupdate
