// SPDX-License-Identifier: Apache-2.0
#include "io/s3_caller.hpp"

#include <algorithm>

#include "io/timestamp.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

S3Caller::S3Caller(S3Bucket bucket, AwsSender& sender, std::stop_token stop)
    : m_bucket(std::move(bucket)), m_sender(sender), m_stop(std::move(stop)) {}

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
  call.subject = subject(key);
  call.action = std::move(action);
  call.exchange.stop = m_stop;
  return call;
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
  return {{std::string(response.header("etag"))}, parse_http_date(response.header("date")).value_or(SystemTime{})};
}

}  // namespace repoupdate
