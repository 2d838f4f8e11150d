// SPDX-License-Identifier: Apache-2.0
#include "io/aws_sender.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "io/aws_error.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

// Services refuse a signature that is 15 minutes off; a Date that is this far from our clock explains a refusal
// that has no body to say so.
constexpr std::chrono::seconds k_notable_skew = std::chrono::minutes(5);

// The callbacks of an exchange, watched: an attempt that has delivered bytes may not simply begin anew, and a
// callback's own failure is not the service's.
struct Watch {
  bool delivered = false;
  bool callback_failed = false;

  void note(bool ok) { callback_failed = callback_failed || !ok; }
};

HttpExchange watched(const HttpExchange& exchange, Watch& watch) {
  HttpExchange copy = exchange;
  if (exchange.sink)
    copy.sink = [&](std::string_view bytes) {
      watch.delivered = true;
      auto taken = exchange.sink(bytes);
      watch.note(taken.ok());
      return taken;
    };
  if (exchange.on_head)
    copy.on_head = [&](const HttpResponse& head) {
      auto accepted = exchange.on_head(head);
      watch.note(accepted.ok());
      return accepted;
    };
  if (exchange.upload)
    copy.upload = [&](std::uint64_t offset) {
      auto bytes = exchange.upload(offset);
      watch.note(bytes.ok());
      return bytes;
    };
  return copy;
}

std::string payload_digest(const AwsCall& call) {
  if (!call.payload_sha256.empty()) return call.payload_sha256;
  return call.exchange.upload ? std::string(k_unsigned_payload) : sha256_hex(call.exchange.body);
}

std::optional<Duration> retry_after(const HttpResponse& refusal) {
  const std::string_view text = refusal.header("retry-after");
  int seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return std::chrono::seconds(seconds);
}

bool is_worth_repeating(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::throttled || kind == ErrorKind::timed_out;
}

// What was not answered, or answered with a failure of the service itself, may have been done all the same.
bool may_have_taken_effect(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timed_out;
}

}  // namespace

struct AwsSender::Attempt {
  Result<HttpResponse> outcome;
  HttpResponse refusal;  // the answer, where it was not a success; status 0: there was none
  std::string code;      // of the refusal
  Credentials used;

  std::string other_region(const AwsCall& call) const {
    const std::string region = bucket_region(refusal);
    return region == call.scope.region ? std::string() : region;
  }
  // HEAD has no body that could name the code; an expired session is a 400 there.
  bool found_credentials_expired(const AwsCall& call) const {
    return code == "ExpiredToken" || code == "ExpiredTokenException" ||
           (call.request.method == "HEAD" && refusal.status == 400 && !used.session_token.empty() &&
            other_region(call).empty());
  }
};

AwsSender::AwsSender(HttpClient& http, CredentialsProvider& credentials, Clock& clock, AwsSenderOptions options,
                     const Log* log)
    : m_http(http), m_credentials(credentials), m_clock(clock), m_options(options), m_log(log) {}

AwsSender::Attempt AwsSender::attempt(const AwsCall& call, const HttpRequest& unsigned_request,
                                      HttpExchange& exchange) {
  auto credentials = m_credentials.get();
  if (!credentials) return {std::move(credentials).error(), {}, {}, {}};
  HttpRequest request = unsigned_request;
  const SystemTime now = m_clock.now() + std::chrono::seconds(m_clock_offset.load());
  sign(request, payload_digest(call), *credentials, call.scope, now);

  auto response = m_http.send(request, exchange);
  if (!response) return {std::move(response).error(), {}, {}, *std::move(credentials)};
  if (response->succeeded()) {
    const Result<void> verdict = call.check ? call.check(*response) : Result<void>();
    if (verdict) return {*std::move(response), {}, {}, *std::move(credentials)};
    return {verdict.error(), *std::move(response), {}, *std::move(credentials)};
  }
  Error error = aws_error(call.subject, call.action, *response);
  std::string code = parse_aws_error(*response).code;
  return {std::move(error), *std::move(response), std::move(code), *std::move(credentials)};
}

bool AwsSender::correct_clock(const HttpResponse& refusal) {
  const auto theirs = parse_http_date(refusal.header("date"));
  if (!theirs) return false;
  const std::chrono::seconds offset = *theirs - m_clock.now();
  const std::chrono::seconds change = offset - std::chrono::seconds(m_clock_offset.load());
  if (std::chrono::abs(change) < k_notable_skew) return false;
  m_clock_offset = offset.count();
  return true;
}

void AwsSender::log(const AwsCall& call, const Attempt& attempt, int number) const {
  if (m_log == nullptr || !m_log->enabled(LogLevel::debug)) return;
  const std::string outcome =
      attempt.outcome ? std::to_string(attempt.outcome->status) : attempt.outcome.error().text();
  m_log->debug("request",
               {{"action", call.action}, {"about", call.subject}, {"attempt", number}, {"outcome", outcome}});
}

AwsOutcome AwsSender::send(const AwsCall& call) {
  const SteadyTime give_up = m_clock.steady() + m_options.patience;
  HttpRequest request = call.request;
  Watch watch;
  HttpExchange exchange = watched(call.exchange, watch);
  bool may_correct_clock = true;
  bool may_renew_credentials = true;
  bool answer_lost = false;

  for (int number = 1;; ++number) {
    Attempt attempt = this->attempt(call, request, exchange);
    log(call, attempt, number);
    answer_lost = answer_lost || attempt.refusal.resent || (attempt.outcome && attempt.outcome->resent);
    if (attempt.outcome || watch.callback_failed) return {std::move(attempt.outcome), answer_lost};

    Error error = std::move(attempt.outcome).error();
    if (attempt.refusal.status == 0) error = std::move(error).within(call.subject);
    if (attempt.refusal.status == 403 && std::exchange(may_correct_clock, false) && correct_clock(attempt.refusal))
      continue;
    if (attempt.found_credentials_expired(call) && std::exchange(may_renew_credentials, false)) {
      m_credentials.expire(attempt.used);
      continue;
    }
    const bool is_resumable = !watch.delivered || call.before_retry;
    if (!is_worth_repeating(error.kind) || !is_resumable)
      return {std::move(error), answer_lost, attempt.other_region(call)};
    const Duration delay = retry_delay(m_options.retry, number, jitter(), retry_after(attempt.refusal));
    if (number >= m_options.retry.attempts || m_clock.steady() + delay > give_up) {
      if (number > 1) error.message += " (after " + std::to_string(number) + " attempts)";
      return {std::move(error), answer_lost};
    }
    answer_lost = answer_lost || may_have_taken_effect(error.kind);
    if (!m_clock.sleep_for(delay, call.exchange.stop))
      return {Error{ErrorKind::cancelled, call.subject + ": stopped", {}}, answer_lost};
    if (call.before_retry) call.before_retry(request);
  }
}

}  // namespace repoupdate
