// SPDX-License-Identifier: Apache-2.0
// What all calls about one bucket have in common: how they are signed, stopped and named in messages.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/aws_sender.hpp"
#include "io/s3_request.hpp"
#include "model/object.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// What the store says when bytes are in place.
struct StoredMark {
  ETag etag;            // empty where the store does not send it back
  SystemTime stored{};  // its Date; the epoch where it does not send one
  std::string request_id{};
};

struct UploadOutcome {
  Result<StoredMark> mark;
  bool answer_lost = false;  // see AwsOutcome
};

inline constexpr Duration k_parting_time{std::chrono::seconds(10)};

// Thread-safe. The sender and the meter must outlive it. When the store says that the bucket is in another region (301, 400
// AuthorizationHeaderMalformed), the call is sent there, and so are all that follow.
class S3Caller {
public:
  // `meter` counts all calls; null: nobody does.
  S3Caller(S3Bucket bucket, AwsSender& sender, std::stop_token stop, RequestMeter* meter = nullptr);

  const S3Bucket& bucket() const { return m_bucket; }
  RequestMeter* meter() const { return m_meter; }
  // "s3://bucket/key" with control characters replaced; "s3://bucket" for an empty key.
  std::string subject(std::string_view key) const;
  // `action` as in an IAM policy: "s3:GetObject".
  AwsCall call(HttpRequest request, std::string_view key, std::string action) const;
  AwsOutcome send(const AwsCall& call) const;
  // Of what should not be left undone, also on the way out of the program: when it is stopped, it is sent once more,
  // unless that is not possible in k_parting_time, and that ends after k_parting_time at most.
  AwsOutcome send_even_when_stopped(AwsCall call) const;

private:
  struct Place {
    std::string host;
    std::string region;
  };
  std::optional<Place> learnt_place() const;
  // False when `region` cannot be one.
  bool learn_place(const std::string& region) const;

  S3Bucket m_bucket;
  AwsSender& m_sender;
  std::stop_token m_stop;
  RequestMeter* m_meter;
  mutable std::mutex m_mutex;
  mutable std::optional<Place> m_place;  // guarded by m_mutex; nothing: m_bucket's
};

// Lets the exchange send these bytes of `body`, which must outlive it, a piece at a time. Errors in reading them are
// unreadable_body()'s.
void send_from(HttpExchange& exchange, const StoredBytes& body, std::uint64_t begin, std::uint64_t size);

StoredMark stored_mark(const HttpResponse& response);

}  // namespace repoupdate
