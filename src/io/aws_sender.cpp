// SPDX-License-Identifier: Apache-2.0
#include "io/aws_sender.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "io/aws_error.hpp"
#include "io/clock_skew.hpp"
#include "io/timestamp.hpp"

namespace repoupdate {
namespace {

// What a service may ask us to wait, in milliseconds or seconds, before anybody computes with it.
constexpr std::chrono::seconds k_longest_hint = std::chrono::hours(24);

// Of bytes that arrive damaged each time: it is what we send, or something on the way that changes every copy.
constexpr int k_max_damaged_attempts = 3;

bool is_worth_repeating(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::throttled || kind == ErrorKind::timed_out;
}

// The callbacks of an exchange, watched: an attempt that has delivered bytes may not simply begin anew, and a
// callback's own failure is not the service's.
struct Watch {
  bool delivered = false;  // anything at all
  bool went_on = false;    // since somebody last asked
  bool callback_failed = false;
  std::uint64_t bytes_sent = 0, bytes_received = 0;  // through callbacks, since somebody last asked

  void note(bool ok) { callback_failed = callback_failed || !ok; }
};

HttpExchange watched(const HttpExchange& exchange, Watch& watch) {
  HttpExchange copy = exchange;
  if (exchange.sink)
    copy.sink = [&](std::string_view bytes) {
      watch.delivered = true;
      watch.went_on = true;
      watch.bytes_received += bytes.size();
      auto taken = exchange.sink(bytes);
      watch.note(taken.ok());
      return taken;
    };
  if (exchange.on_head)
    copy.on_head = [&](const HttpResponse& head) {
      auto accepted = exchange.on_head(head);
      watch.note(accepted.ok() ||
                 is_worth_repeating(accepted.error().kind));  // of the answer, and that is the service's
      return accepted;
    };
  if (exchange.upload)
    copy.upload = [&](std::uint64_t offset) {
      auto bytes = exchange.upload(offset);
      watch.note(bytes.ok());
      if (bytes) watch.bytes_sent += bytes->size();
      return bytes;
    };
  return copy;
}

std::string payload_digest(const AwsCall& call) {
  return call.payload_sha256.empty() ? sha256_hex(call.exchange.body) : call.payload_sha256;
}

std::optional<std::int64_t> parse_count(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 0) return std::nullopt;
  return std::min<std::int64_t>(number, k_longest_hint.count());
}

// What a source of credentials could not find, finds changed or cannot read is no object of a store (I14), and nothing
// that the bytes of a package or the request are to blame for.
Error about_no_object(Error error) {
  if (error.kind == ErrorKind::not_found || error.kind == ErrorKind::no_store ||
      error.kind == ErrorKind::precondition_failed || error.kind == ErrorKind::conflict || is_final(error.kind))
    error.kind = ErrorKind::denied;
  return error;
}

// Of a call that has no time for new credentials: those at hand are given all the same.
std::stop_token already_stopped() {
  std::stop_source source;
  source.request_stop();
  return source.get_token();
}

// The IAM action without its service; HEAD is allowed by the action of GET.
std::string operation_of(const AwsCall& call) {
  const std::string name = call.action.substr(call.action.find(':') + 1);
  if (call.request.method != "HEAD") return name;
  return name == "ListBucket" ? "HeadBucket" : "HeadObject";
}

RetryCause cause_of(ErrorKind kind, bool was_answered) {
  if (kind == ErrorKind::throttled) return RetryCause::throttled;
  if (kind == ErrorKind::timed_out) return RetryCause::timeout;
  if (kind == ErrorKind::corrupt) return RetryCause::checksum;
  return was_answered ? RetryCause::server_error : RetryCause::reset;
}

int most_attempts(const RetryPolicy& policy, ErrorKind kind) {
  if (kind == ErrorKind::corrupt) return std::min(policy.attempts, k_max_damaged_attempts);
  return kind == ErrorKind::throttled ? policy.throttled_attempts : policy.attempts;
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
  std::chrono::seconds clock_offset{0};  // that it was signed with

  AwsRefusal last() const { return {refusal.status, code}; }
  std::string other_region(const AwsCall& call) const {
    const std::string region = bucket_region(refusal);
    return region == call.scope.region ? std::string() : region;
  }
  void count(const AwsCall& call, Watch& watch) const {
    const bool was_sent = !used.access_key_id.empty();  // there were credentials
    if (call.meter == nullptr || !was_sent) return;
    call.meter->ended(operation_of(call), outcome ? std::nullopt : std::optional(outcome.error().kind));
    call.meter->sent(call.exchange.body.size() + std::exchange(watch.bytes_sent, 0));
    const std::size_t kept = outcome ? outcome->body.size() : refusal.body.size();
    call.meter->received(kept + std::exchange(watch.bytes_received, 0));
    if (outcome ? outcome->resent : refusal.resent) call.meter->retried(RetryCause::reset);
  }
  // The service says that it did not get the bytes that were sent.
  bool arrived_damaged() const { return refusal.status >= 400 && outcome.failed_with(ErrorKind::corrupt); }
  // Too many messages of a queue of SQS are hidden: nothing to do with how much is sent, and it passes only as they are
  // acknowledged.
  bool met_limit_of_one_queue() const { return code == "OverLimit"; }
  // HEAD has no body that could name the code; an expired session is a 400 there.
  bool found_credentials_expired(const AwsCall& call) const {
    return code == "ExpiredToken" || code == "ExpiredTokenException" ||
           (call.request.method == "HEAD" && refusal.status == 400 && !used.session_token.empty() &&
            other_region(call).empty());
  }
};

// What one call has behind it.
struct AwsSender::Course {
  int attempts = 0;                   // since the download last went on
  int paid = 0;                       // for the last retry
  std::optional<SteadyTime> give_up;  // set by the first failure
};

AwsSender::AwsSender(HttpClient& http, CredentialsProvider& credentials, Clock& clock, AwsSenderOptions options,
                     const Log* log)
    : m_http(http), m_credentials(credentials), m_clock(clock), m_options(options), m_log(log), m_gate(clock) {}

AwsSender::Attempt AwsSender::attempt(const AwsCall& call, const HttpRequest& unsigned_request,
                                      HttpExchange& exchange) {
  auto credentials = m_credentials.get(call.deadline ? already_stopped() : call.exchange.stop);
  if (!credentials) {
    Error error = about_no_object(std::move(credentials).error());
    const bool not_waited_for = error.kind == ErrorKind::cancelled && !call.exchange.stop.stop_requested();
    if (call.deadline && not_waited_for) error.kind = ErrorKind::timed_out;
    return {std::move(error), {}, {}, {}};
  }
  HttpRequest request = unsigned_request;
  const std::chrono::seconds offset(m_clock_offset.load());
  sign(request, payload_digest(call), *credentials, call.scope, call.dated.value_or(m_clock.now()) + offset, m_keys);

  auto response = m_http.send(request, exchange);
  if (!response) return {std::move(response).error(), {}, {}, *std::move(credentials), offset};
  if (response->succeeded()) {
    const Result<void> verdict = call.check ? call.check(*response) : Result<void>();
    if (verdict) return {*std::move(response), {}, {}, *std::move(credentials), offset};
    return {verdict.error(), *std::move(response), {}, *std::move(credentials), offset};
  }
  Error error = aws_error(call.subject, call.action, *response);
  std::string code = parse_aws_error(*response).code;
  // S3's 503 is SlowDown mostly, and an answer to HEAD has no body to say so.
  if (call.request.method == "HEAD" && response->status == 503 && code.empty()) error.kind = ErrorKind::throttled;
  // A 404 for a GET says what is missing, or at least who says so. Without either it may be some proxy's (I14).
  if (call.request.method == "GET" && response->status == 404 && code.empty() && error.request_id.empty())
    error.kind = ErrorKind::unavailable;
  return {std::move(error), *std::move(response), std::move(code), *std::move(credentials), offset};
}

// Each attempt by its own offset: others, which were under way with the same wrong one, may have corrected it since.
bool AwsSender::correct_clock(const Attempt& attempt) {
  const auto corrected = corrected_offset(attempt.refusal, m_clock.now(), attempt.clock_offset);
  if (corrected) m_clock_offset = corrected->count();
  return corrected.has_value();
}

void AwsSender::note_retry(const AwsCall& call, RetryCause cause) {
  if (call.meter != nullptr) call.meter->retried(cause);
}

void AwsSender::log(const AwsCall& call, const Attempt& attempt, int number) const {
  if (m_log == nullptr || !m_log->enabled(LogLevel::debug)) return;
  const std::string outcome =
      attempt.outcome ? std::to_string(attempt.outcome->status) : attempt.outcome.error().text();
  m_log->debug("request",
               {{"action", call.action}, {"about", call.subject}, {"attempt", number}, {"outcome", outcome}});
}

// x-amz-retry-after is in milliseconds, Retry-After in seconds or a date (RFC 9110 section 10.2.3).
std::optional<Duration> AwsSender::retry_hint(const HttpResponse& refusal) const {
  if (const auto milliseconds = parse_count(refusal.header("x-amz-retry-after"))) return Duration(*milliseconds);
  const std::string_view text = refusal.header("retry-after");
  if (const auto seconds = parse_count(text)) return std::chrono::seconds(*seconds);
  const auto then = parse_http_date(text);
  if (!then) return std::nullopt;
  const SystemTime now = parse_http_date(refusal.header("date")).value_or(m_clock.now());
  return std::clamp<std::chrono::seconds>(*then - now, std::chrono::seconds(0), k_longest_hint);
}

// How long to wait before the call is sent again; nothing when it failed for good, and then the error says why.
std::optional<Duration> AwsSender::next_delay(const AwsCall& call, Course& course, std::optional<Duration> hint,
                                              Error& error) {
  const RetryPolicy& policy = m_options.retry;
  const SteadyTime now = m_clock.steady();
  if (!course.give_up) course.give_up = std::min(now + m_options.patience, call.deadline.value_or(SteadyTime::max()));
  const Duration delay = retry_delay(policy, course.attempts, jitter(), hint);
  const std::string after = course.attempts > 1 ? "after " + std::to_string(course.attempts) + " attempts" : "";
  if (course.attempts >= call.attempts.value_or(most_attempts(policy, error.kind)) || now + delay > *course.give_up) {
    if (!after.empty()) error.message += " (" + after + ")";
    return std::nullopt;
  }
  const auto paid = m_gate.pay_for_retry(call.request.host, error.kind == ErrorKind::timed_out);
  if (!paid) {
    error.message += " (" + after + (after.empty() ? "" : "; ") + "too much fails there to try again)";
    return std::nullopt;
  }
  course.paid = *paid;
  return delay;
}

AwsOutcome AwsSender::send(const AwsCall& call) {
  const std::string& host = call.request.host;
  const Error stopped{ErrorKind::cancelled, call.subject + ": stopped", {}};
  const Error too_late{ErrorKind::timed_out, call.subject + ": the service wants no request so soon", {}};
  HttpRequest request = call.request;
  Watch watch;
  HttpExchange exchange = watched(call.exchange, watch);
  Course course;
  bool may_correct_clock = true;
  bool may_renew_credentials = true;
  bool answer_lost = false;

  for (int number = 1;; ++number) {
    const auto left = m_gate.pass(host, call.exchange.stop, call.deadline);
    if (!left || (call.deadline && *left >= *call.deadline))
      return {call.exchange.stop.stop_requested() ? stopped : too_late, answer_lost};
    if (call.deadline) exchange.timeout = std::chrono::ceil<Duration>(*call.deadline - *left);
    ++course.attempts;
    Attempt attempt = this->attempt(call, request, exchange);
    log(call, attempt, number);
    attempt.count(call, watch);
    answer_lost = answer_lost || attempt.refusal.resent || (attempt.outcome && attempt.outcome->resent);
    if (attempt.outcome) m_gate.succeeded(host, course.paid);
    if (attempt.outcome || watch.callback_failed) return {std::move(attempt.outcome), answer_lost};

    const bool arrived_damaged = attempt.arrived_damaged();
    Error error = std::move(attempt.outcome).error();
    if (attempt.refusal.status == 0) error = std::move(error).within(call.subject);
    const auto hint = retry_hint(attempt.refusal);
    if (attempt.met_limit_of_one_queue()) return {std::move(error), answer_lost, {}, attempt.last()};
    if (error.kind == ErrorKind::throttled && attempt.refusal.status != 0) m_gate.refused(host, *left, hint);
    if (error.kind == ErrorKind::denied && std::exchange(may_correct_clock, false) && correct_clock(attempt)) {
      note_retry(call, RetryCause::clock);
      continue;
    }
    if (attempt.found_credentials_expired(call) && std::exchange(may_renew_credentials, false)) {
      m_credentials.expire(attempt.used);
      note_retry(call, RetryCause::credentials);
      continue;
    }
    const bool is_resumable = !watch.delivered || call.before_retry;
    if (!(is_worth_repeating(error.kind) || arrived_damaged) || !is_resumable)
      return {std::move(error), answer_lost, attempt.other_region(call), attempt.last()};
    if (std::exchange(watch.went_on, false)) course = {.attempts = 1, .paid = course.paid, .give_up = {}};
    const auto delay = next_delay(call, course, hint, error);
    if (!delay) return {std::move(error), answer_lost, {}, attempt.last()};
    answer_lost = answer_lost || may_have_taken_effect(error.kind);
    if (!m_clock.sleep_for(*delay, call.exchange.stop)) return {stopped, answer_lost};
    note_retry(call, cause_of(error.kind, attempt.refusal.status != 0));
    if (call.before_retry) call.before_retry(request);
  }
}

}  // namespace repoupdate
