// SPDX-License-Identifier: Apache-2.0
#include "io/sqs_source.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <mutex>
#include <optional>
#include <utility>

#include "base/parallel.hpp"
#include "io/event_json.hpp"

namespace repoupdate {
namespace {

// Bytes: the messages of one receive, every character escaped, and what stands around them.
constexpr std::uint64_t k_max_answer = k_sqs_batch * k_max_event_body * 6 + (1 << 20);
constexpr Duration k_answer_time = std::chrono::seconds(10);  // beyond the time of the long poll itself

// Requests go where the settings say, else where the queue's own URL lives, else to AWS.
Result<AwsEndpoint> endpoint_of(const SqsSourceOptions& options, const SqsQueueAddress& queue) {
  if (!options.endpoint_url.empty() || queue.url.empty())
    return aws_endpoint("sqs", queue.region, options.endpoint_url, options.variant);
  auto endpoint = parse_endpoint_url(queue.url);
  if (endpoint) endpoint->path.clear();
  return endpoint;
}

using Batch = std::span<const Receipt>;

// Calls `work` for runs of at most ten receipts, the most that one request may carry, several at the same time.
// After one that returns false no further ones are begun. Returns the runs that were not done.
template <typename Work>
std::vector<Batch> for_each_batch(Batch receipts, const Work& work) {
  std::vector<Batch> batches;
  for (; !receipts.empty(); receipts = receipts.subspan(batches.back().size()))
    batches.push_back(receipts.first(std::min(receipts.size(), k_sqs_batch)));
  std::vector<char> done(batches.size(), 0);
  std::atomic<bool> ended = false;
  for_each_parallel(batches.size(), k_sqs_parallel, [&](std::size_t i) {
    done[i] = !ended && work(batches[i]);
    if (!done[i]) ended = true;
  });
  std::vector<Batch> undone;
  for (std::size_t i = 0; i < batches.size(); ++i)
    if (!done[i]) undone.push_back(batches[i]);
  return undone;
}

// Says nothing about the request itself: worth another try.
bool may_pass(ErrorKind kind) {
  return kind == ErrorKind::unavailable || kind == ErrorKind::throttled || kind == ErrorKind::timed_out ||
         kind == ErrorKind::cancelled;
}

}  // namespace

Result<std::unique_ptr<SqsSource>> SqsSource::open(const SqsSourceOptions& options, AwsSender& sender, const Log* log) {
  auto queue = parse_sqs_queue(options.queue);
  if (!queue) return std::move(queue).error();
  if (queue->region.empty()) queue->region = options.region;
  if (queue->region.empty())
    return Error{ErrorKind::invalid,
                 "queue '" + queue->name + "': no AWS region is set: set it in the configuration or in AWS_REGION",
                 {}};
  if (options.visibility < std::chrono::seconds(0) || options.visibility > k_max_sqs_visibility)
    return Error{
        ErrorKind::invalid, "queue '" + queue->name + "': the visibility timeout must be 0 to 43200 seconds", {}};
  auto endpoint = endpoint_of(options, *queue);
  if (!endpoint) return std::move(endpoint).error().within("queue '" + queue->name + "'");
  return std::unique_ptr<SqsSource>(new SqsSource(*std::move(queue), *std::move(endpoint), options, sender, log));
}

SqsSource::SqsSource(SqsQueueAddress queue, AwsEndpoint endpoint, const SqsSourceOptions& options, AwsSender& sender,
                     const Log* log)
    : m_queue(std::move(queue)),
      m_endpoint(std::move(endpoint)),
      m_visibility(options.visibility),
      m_sender(sender),
      m_log(log),
      m_meter(options.meter),
      m_stop(options.stop),
      m_url(m_queue.url) {}

std::string SqsSource::name() const {
  return to_string(m_queue);
}

Result<std::string> SqsSource::call(const std::string& action, std::string_view body, Duration timeout,
                                    std::stop_token stop) {
  AwsCall call;
  call.request.method = "POST";
  call.request.scheme = m_endpoint.scheme;
  call.request.host = m_endpoint.host;
  call.request.path = m_endpoint.path + '/';
  call.request.set_header("content-type", "application/x-amz-json-1.0");
  call.request.set_header("x-amz-target", "AmazonSQS." + action);
  call.scope = {m_queue.region, "sqs"};
  call.subject = name();
  call.action = "sqs:" + (action.ends_with("Batch") ? action.substr(0, action.size() - 5) : action);
  call.exchange.body = body;
  call.exchange.body_limit = k_max_answer;
  call.exchange.timeout = timeout;
  call.exchange.stop = std::move(stop);
  call.meter = m_meter;
  auto response = m_sender.send(call).response;
  if (response) return std::move(response->body);
  if (!response.failed_with(ErrorKind::not_found)) return std::move(response).error();
  {
    const std::scoped_lock lock(m_mutex);
    m_url = m_queue.url;  // a queue that is made anew may have other ones
    m_has_dead_letter_queue.reset();
  }
  return Error{ErrorKind::invalid,
               "there is no queue '" + m_queue.name + "' in region " + m_queue.region +
                   (m_queue.account.empty() ? "" : " of account " + m_queue.account) +
                   ": create it, or correct its name or region",
               response.error().request_id};
}

Result<std::string> SqsSource::queue_url(std::stop_token stop) {
  {
    const std::scoped_lock lock(m_mutex);
    if (!m_url.empty()) return m_url;
  }
  const auto answer = call("GetQueueUrl", sqs_get_queue_url_body(m_queue), k_answer_time, std::move(stop));
  if (!answer) return answer.error();
  auto url = parse_sqs_queue_url(*answer);
  if (!url) return std::move(url).error().within(name());
  const std::scoped_lock lock(m_mutex);
  return m_url = *std::move(url);
}

Result<bool> SqsSource::has_dead_letter_queue(const std::string& url, std::stop_token stop) {
  {
    const std::scoped_lock lock(m_mutex);
    if (m_has_dead_letter_queue) return *m_has_dead_letter_queue;
  }
  const auto answer = call("GetQueueAttributes", sqs_redrive_policy_body(url), k_answer_time, std::move(stop));
  const auto policy = answer ? parse_sqs_redrive_policy(*answer) : answer.error();
  if (!policy && may_pass(policy.error().kind)) return policy.error();
  // A queue that does not exist is told by the receive that follows.
  if (m_log != nullptr && !policy && !policy.failed_with(ErrorKind::invalid))
    m_log->info("cannot tell whether the queue has a dead-letter queue; it is taken for having none",
                {{"queue", name()}, {"error", policy.error().text()}});
  if (m_log != nullptr && policy && *policy)
    m_log->info("queue has a dead-letter queue", {{"queue", name()},
                                                  {"dead_letter_queue", (*policy)->dead_letter_queue},
                                                  {"max_receives", (*policy)->max_receives}});
  const std::scoped_lock lock(m_mutex);
  m_has_dead_letter_queue = policy && policy->has_value();
  return *m_has_dead_letter_queue;
}

Result<std::vector<Delivery>> SqsSource::receive(Duration wait, std::stop_token stop) {
  if (stop.stop_requested()) return std::vector<Delivery>{};
  const auto url = queue_url(stop);
  if (url.failed_with(ErrorKind::cancelled)) return std::vector<Delivery>{};
  if (!url) return url.error();
  const auto redrives = has_dead_letter_queue(*url, stop);
  if (redrives.failed_with(ErrorKind::cancelled)) return std::vector<Delivery>{};
  if (!redrives) return redrives.error();
  const auto poll = std::clamp(std::chrono::floor<std::chrono::seconds>(wait), std::chrono::seconds(0), k_max_sqs_wait);
  const auto answer = call("ReceiveMessage", sqs_receive_body(*url, poll, m_visibility), poll + k_answer_time, stop);
  if (answer.failed_with(ErrorKind::cancelled)) return std::vector<Delivery>{};
  if (!answer) return answer.error();
  auto messages = parse_sqs_messages(*answer);
  if (!messages) return std::move(messages).error().within(name());
  std::vector<Delivery> deliveries;
  for (SqsMessage& message : *messages) {
    ParsedBody parsed = parse_event_body(message.body);
    Delivery delivery{Receipt{name(), std::move(message.id), std::move(message.receipt_handle)},
                      std::move(parsed.events), std::move(parsed.problem)};
    if (!delivery.problem.empty()) delivery.excerpt = printable_excerpt(message.body, k_event_excerpt);
    delivery.receives = message.receives;
    delivery.sent = message.sent;
    delivery.has_dead_letter_queue = *redrives;
    deliveries.push_back(std::move(delivery));
  }
  return deliveries;
}

Result<std::vector<SqsVerdict>> SqsSource::call_batch(const std::string& action, std::string_view body,
                                                      std::size_t count) {
  const auto answer = call(action, body, k_answer_time, m_stop);
  if (!answer) return answer.error();
  auto verdicts = parse_sqs_verdicts(*answer, count);
  if (!verdicts) return std::move(verdicts).error().within(name());
  return verdicts;
}

// An answer 200 may say of each message that it failed: those that the service itself failed on are tried once
// more.
Result<SqsSource::Undeleted> SqsSource::delete_batch(const std::string& url, std::span<const Receipt> receipts) {
  std::vector<Receipt> open(receipts.begin(), receipts.end());
  Undeleted left;
  for (int attempt = 1; attempt <= 2 && !open.empty(); ++attempt) {
    const auto verdicts = call_batch("DeleteMessageBatch", sqs_delete_body(url, open), open.size());
    if (!verdicts && attempt == 1) return verdicts.error();
    if (!verdicts) break;
    std::vector<Receipt> failed;
    for (std::size_t i = 0; i < open.size(); ++i) {
      const SqsVerdict& verdict = (*verdicts)[i];
      if (verdict.outcome == SqsVerdict::Outcome::done) continue;
      left.reason = verdict.reason;
      (verdict.outcome == SqsVerdict::Outcome::failed ? failed : left.receipts).push_back(std::move(open[i]));
    }
    open = std::move(failed);
  }
  std::move(open.begin(), open.end(), std::back_inserter(left.receipts));
  return left;
}

Result<std::vector<Receipt>> SqsSource::acknowledge(std::span<const Receipt> receipts) {
  std::vector<Receipt> left;
  if (receipts.empty()) return left;
  const auto url = queue_url(m_stop);
  if (!url) return url.error();
  Error failure{ErrorKind::invalid, {}, {}};
  std::mutex mutex;
  // After a request that failed as a whole, the rest would meet the same failure, each after its own retries.
  const auto undone = for_each_batch(receipts, [&](Batch batch) {
    auto undeleted = delete_batch(*url, batch);
    const std::scoped_lock lock(mutex);
    if (!undeleted) {
      failure = std::move(undeleted).error();
      return false;
    }
    if (!undeleted->receipts.empty() && failure.message.empty())
      failure.message = name() + ": messages were not deleted and will come again: " + undeleted->reason;
    std::move(undeleted->receipts.begin(), undeleted->receipts.end(), std::back_inserter(left));
    return true;
  });
  for (const Batch& batch : undone) left.insert(left.end(), batch.begin(), batch.end());
  if (left.size() == receipts.size()) return failure;
  if (!left.empty() && m_log != nullptr)
    m_log->debug("messages not deleted", {{"count", std::uint64_t{left.size()}}, {"reason", failure.message}});
  return left;
}

Result<void> SqsSource::extend(std::span<const Receipt> receipts, Duration duration) {
  if (receipts.empty()) return {};
  const auto url = queue_url(m_stop);
  if (!url) return url.error();
  const auto seconds =
      std::clamp(std::chrono::ceil<std::chrono::seconds>(duration), std::chrono::seconds(0), k_max_sqs_visibility);
  Result<void> outcome;
  std::mutex mutex;
  static_cast<void>(for_each_batch(receipts, [&](Batch batch) {
    const auto verdicts =
        call_batch("ChangeMessageVisibilityBatch", sqs_visibility_body(*url, batch, seconds), batch.size());
    if (!verdicts) {
      const std::scoped_lock lock(mutex);
      outcome = verdicts.error();
      return false;
    }
    // Gone, or hidden no longer: it comes again or does not matter.
    for (std::size_t i = 0; i < batch.size() && m_log != nullptr; ++i)
      if (const SqsVerdict& verdict = (*verdicts)[i]; verdict.outcome != SqsVerdict::Outcome::done)
        m_log->debug("visibility not extended",
                     {{"queue", name()}, {"message", batch[i].message_id}, {"reason", verdict.reason}});
    return true;
  }));
  return outcome;
}

}  // namespace repoupdate
