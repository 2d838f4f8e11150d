// SPDX-License-Identifier: Apache-2.0
// Signs, sends and, where that helps, repeats one AWS request, and names its failure. Shared by S3 and SQS.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "base/retry.hpp"
#include "io/credentials.hpp"
#include "io/http.hpp"
#include "io/http_client.hpp"
#include "io/request_meter.hpp"
#include "io/send_gate.hpp"
#include "io/sigv4.hpp"

namespace repoupdate {

struct AwsSenderOptions {
  RetryPolicy retry;
  Duration patience{std::chrono::minutes(2)};  // no new attempt begins later than this after the first failure
};

// One request as a value. What it refers to (exchange.body, the callbacks) must live until send() returns.
struct AwsCall {
  HttpRequest request;  // unsigned, with scheme and host
  SigningScope scope;
  std::string subject;         // what it is about, for messages: "s3://bucket/key", a queue's URL
  std::string action;          // what the credentials must allow, for messages: "s3:GetObject"
  std::string payload_sha256;  // hex digest of what is sent; empty: of exchange.body, when that is what is sent
  HttpExchange exchange;
  std::optional<int> attempts;  // in all, whatever fails; nothing: as often as the policy says
  // By AwsSender::clock(): when it ends at the latest. With one it waits neither for a turn that comes too late, nor
  // for new credentials.
  std::optional<SteadyTime> deadline;
  std::optional<SystemTime> dated;  // by our clock, what it is signed for; nothing: the time of each attempt
  // Called before each attempt after the first, to change the request: a download that broke off asks only
  // for the rest. Without it an attempt whose sink has taken bytes is not repeated.
  std::function<void(HttpRequest&)> before_retry;
  // Looks at a 2xx answer: its error is the service's own failure, and repeated like one. Some S3 calls answer
  // 200 with an <Error> inside.
  std::function<Result<void>(const HttpResponse&)> check;
  RequestMeter* meter = nullptr;  // counts the call's attempts; null: nobody does
};

// The answer that was no success; status 0: there was none.
struct AwsRefusal {
  int status = 0;
  std::string code;  // empty where it names none, as every answer to HEAD
};

struct AwsOutcome {
  // A 2xx answer, or the failure: its message begins with the call's subject, but a callback's own error is
  // passed on as it is.
  Result<HttpResponse> response;
  // The request was sent more than once, and one of the earlier times may have taken effect without our seeing
  // the answer: a failed condition may be this call's own doing.
  bool answer_lost = false;
  // Of a refusal that says that the bucket is in another region than the request was signed for; else empty.
  std::string other_region{};
  AwsRefusal refusal{};  // the last one, where that is the failure
};

// Thread-safe. ErrorKind::unavailable, throttled and timed_out are repeated with growing, jittered delays, as often as
// the policy and what all calls to that host may spend allow, and a refusal of bytes that arrived damaged up to three
// times in all; a download that has gone on meanwhile begins to count anew. A throttled call slows down all others to
// the same host (SendGate). A conflict is the caller's, and so is SQS's OverLimit, though it is throttled. A clock that
// the service finds wrong is corrected by its Date, and credentials that it finds expired are fetched again, once each
// per call.
class AwsSender {
public:
  // The references and `log` (may be null: no log) must outlive the sender.
  AwsSender(HttpClient& http, CredentialsProvider& credentials, Clock& clock, AwsSenderOptions options = {},
            const Log* log = nullptr);

  AwsOutcome send(const AwsCall& call);
  const Clock& clock() const { return m_clock; }

private:
  struct Attempt;
  struct Course;
  Attempt attempt(const AwsCall& call, const HttpRequest& unsigned_request, HttpExchange& exchange);
  bool correct_clock(const Attempt& attempt);
  static void note_retry(const AwsCall& call, RetryCause cause);
  std::optional<Duration> retry_hint(const HttpResponse& refusal) const;
  std::optional<Duration> next_delay(const AwsCall& call, Course& course, std::optional<Duration> hint, Error& error);
  void log(const AwsCall& call, const Attempt& attempt, int number) const;

  HttpClient& m_http;
  CredentialsProvider& m_credentials;
  Clock& m_clock;
  const AwsSenderOptions m_options;
  const Log* m_log;
  SendGate m_gate;
  SigningKeys m_keys;
  std::atomic<std::int64_t> m_clock_offset = 0;  // seconds from our clock to the service's
};

}  // namespace repoupdate
