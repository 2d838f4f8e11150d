// SPDX-License-Identifier: Apache-2.0
#include "io/s3_caller.hpp"

#include <algorithm>

#include "io/aws_error.hpp"
#include "io/timestamp.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

S3Caller::S3Caller(S3Bucket bucket, AwsSender& sender, std::stop_token stop, RequestMeter* meter)
    : m_bucket(std::move(bucket)), m_sender(sender), m_stop(std::move(stop)), m_meter(meter) {}

std::string S3Caller::subject(std::string_view key) const {
  std::string text = "s3://" + m_bucket.options.bucket;
  if (!key.empty()) text.append("/").append(key);
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; }, '?');
  return text;
}

AwsCall S3Caller::call(HttpRequest request, std::string_view key, std::string action) const {
  AwsCall call;
  call.request = std::move(request);
  call.scope = {m_bucket.region, "s3"};
  if (const auto place = learnt_place()) {
    call.request.host = place->host;
    call.scope.region = place->region;
  }
  call.subject = subject(key);
  call.action = std::move(action);
  call.exchange.stop = m_stop;
  call.meter = m_meter;
  return call;
}

std::optional<S3Caller::Place> S3Caller::learnt_place() const {
  const std::scoped_lock lock(m_mutex);
  return m_place;
}

bool S3Caller::learn_place(const std::string& region) const {
  const auto moved = bucket_in_region(m_bucket, region);
  if (!moved || !(moved->endpoint.custom ? is_store_region(region) : is_aws_region(region))) return false;
  const std::scoped_lock lock(m_mutex);
  m_place = Place{bucket_host(*moved), region};
  return true;
}

AwsOutcome S3Caller::send(const AwsCall& call) const {
  AwsOutcome outcome = m_sender.send(call);
  if (outcome.response || outcome.other_region.empty() || !learn_place(outcome.other_region)) return outcome;
  AwsCall moved = call;
  moved.request.host = learnt_place()->host;
  moved.scope.region = outcome.other_region;
  AwsOutcome second = m_sender.send(moved);
  second.answer_lost = second.answer_lost || outcome.answer_lost;
  return second;
}

AwsOutcome S3Caller::send_even_when_stopped(AwsCall call) const {
  AwsOutcome outcome = send(call);
  if (!outcome.response.failed_with(ErrorKind::cancelled)) return outcome;
  call.exchange.stop = {};
  call.attempts = 1;
  call.deadline = m_sender.clock().steady() + k_parting_time;
  AwsOutcome last = send(call);
  last.answer_lost = last.answer_lost || outcome.answer_lost;
  return last;
}

void send_from(HttpExchange& exchange, const StoredBytes& body, std::uint64_t begin, std::uint64_t size) {
  exchange.upload_size = size;
  exchange.upload = [&body, begin, size,
                     piece = std::string()](std::uint64_t offset) mutable -> Result<std::string_view> {
    piece.resize(static_cast<std::size_t>(std::min(body.preferred_piece(), size - offset)));
    if (auto read = body.read(begin + offset, piece); !read) return unreadable_body(std::move(read).error());
    return std::string_view(piece);
  };
}

StoredMark stored_mark(const HttpResponse& response) {
  return {{std::string(response.header("etag"))},
          parse_http_date(response.header("date")).value_or(SystemTime{}),
          request_id(response)};
}

}  // namespace repoupdate
