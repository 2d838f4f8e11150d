// SPDX-License-Identifier: Apache-2.0
#include "io/s3_multipart.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "io/s3_response.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_parts_at_once = 4;

// SHA-256 in lower-case hex.
struct Digests {
  std::string whole;
  std::vector<std::string> parts;
};

Result<Digests> digest(const StoredBytes& body, std::uint64_t part_size) {
  Digests digests;
  Hasher whole(HashType::sha256);
  std::string buffer(static_cast<std::size_t>(std::min(body.preferred_piece(), body.size())), '\0');
  for (std::uint64_t part = 0; part < body.size(); part += part_size) {
    Hasher hasher(HashType::sha256);
    const std::uint64_t end = std::min(body.size(), part + part_size);
    for (std::uint64_t offset = part; offset < end; offset += buffer.size()) {
      const auto piece =
          std::span(buffer).first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), end - offset)));
      if (auto read = body.read(offset, piece); !read) return unreadable_body(std::move(read).error());
      whole.update({piece.data(), piece.size()});
      hasher.update({piece.data(), piece.size()});
    }
    digests.parts.push_back(hasher.finish_hex());
  }
  digests.whole = whole.finish_hex();
  return digests;
}

// One upload between its creation and its end. The references outlive it.
class MultipartUpload {
public:
  MultipartUpload(const S3Caller& caller, std::string_view key, const StoredBytes& body, const PutOptions& options)
      : m_caller(caller), m_key(key), m_body(body), m_options(options), m_part_size(part_size_of(body.size())) {}

  Result<void> create();
  Result<void> send_parts(const UploadProgress& progress);
  UploadOutcome complete(ETagStyle style);
  Error abort(Error cause);

private:
  Result<SentPart> send_part(std::size_t index, std::stop_token stop);
  std::uint64_t size_of(std::size_t index) const { return std::min(m_part_size, m_body.size() - index * m_part_size); }

  const S3Caller& m_caller;
  const std::string_view m_key;
  const StoredBytes& m_body;
  const PutOptions& m_options;
  const std::uint64_t m_part_size;
  std::vector<std::string> m_digests;
  std::vector<SentPart> m_parts;
  std::string m_id;
};

Result<void> MultipartUpload::create() {
  auto digests = digest(m_body, m_part_size);
  if (!digests) return digests.error();
  if (digests->whole != m_options.sha256)
    return Error{ErrorKind::corrupt,
                 m_caller.subject(m_key) + ": the bytes to upload do not have the SHA-256 that was given",
                 {}};
  m_digests = std::move(digests->parts);
  const HttpRequest request = create_multipart_request(m_caller.bucket(), m_key, m_options, m_options.sha256);
  auto response = m_caller.send(m_caller.call(request, m_key, "s3:PutObject")).response;
  if (!response) return response.error();
  auto id = parse_upload_id(response->body);
  if (!id) return std::move(id).error().within(m_caller.subject(m_key));
  m_id = *std::move(id);
  return {};
}

Result<SentPart> MultipartUpload::send_part(std::size_t index, std::stop_token stop) {
  AwsCall call = m_caller.call(upload_part_request(m_caller.bucket(), m_key, m_id, index + 1, m_digests[index]), m_key,
                               "s3:PutObject");
  call.payload_sha256 = m_digests[index];
  send_from(call.exchange, m_body, index * m_part_size, size_of(index));
  // Whichever comes first ends it: the caller's stop, or the failure of another part.
  std::stop_source either;
  const auto request_stop = [&either] { either.request_stop(); };
  const std::stop_callback on_stop(std::exchange(call.exchange.stop, either.get_token()), request_stop);
  const std::stop_callback on_failure(std::move(stop), request_stop);
  auto response = m_caller.send(call).response;
  if (!response) return response.error();
  return sent_part(*response, m_digests[index]);
}

Result<void> MultipartUpload::send_parts(const UploadProgress& progress) {
  m_parts.resize(m_digests.size());
  std::mutex mutex;
  std::optional<Error> failure;
  std::stop_source others;
  std::uint64_t done = 0;
  for_each_parallel(m_digests.size(), k_parts_at_once, [&](std::size_t index) {
    if (others.stop_requested()) return;
    auto part = send_part(index, others.get_token());
    const std::scoped_lock lock(mutex);
    if (!part) {
      if (!failure) failure = std::move(part).error();
      others.request_stop();
      return;
    }
    m_parts[index] = *std::move(part);
    done += size_of(index);
    if (progress) progress(done);
  });
  return failure ? Result<void>(*std::move(failure)) : Result<void>();
}

UploadOutcome MultipartUpload::complete(ETagStyle style) {
  HttpRequest request = complete_multipart_request(m_caller.bucket(), m_key, m_id);
  add_condition(request, m_options, style);
  const std::string body = complete_multipart_body(m_parts);
  AwsCall call = m_caller.call(std::move(request), m_key, "s3:PutObject");
  call.exchange.body = body;
  call.deadline = m_options.deadline;  // nothing is there before
  call.check = [&call](const HttpResponse& response) { return check_completed(call.subject, call.action, response); };
  AwsOutcome outcome = m_caller.send(call);
  if (!outcome.response) return {std::move(outcome.response).error(), outcome.answer_lost};
  // Its ETag is in the body, and not with every store: the object's own answer is the one to trust.
  return {StoredMark{}, outcome.answer_lost};
}

Error MultipartUpload::abort(Error cause) {
  const auto aborted = abort_upload(m_caller, m_key, m_id);
  if (!aborted) cause.message += "; the parts sent could not be removed either: " + aborted.error().message;
  return cause;
}

}  // namespace

std::uint64_t part_size_of(std::uint64_t size) {
  constexpr std::uint64_t k_mebibyte = 1ULL << 20;
  const std::uint64_t needed = (size + k_max_parts - 1) / k_max_parts;
  return std::max(k_min_part_size, (needed + k_mebibyte - 1) / k_mebibyte * k_mebibyte);
}

Result<void> abort_upload(const S3Caller& caller, std::string_view key, const std::string& upload_id) {
  const HttpRequest request = abort_multipart_request(caller.bucket(), key, upload_id);
  auto response = caller.send_even_when_stopped(caller.call(request, key, "s3:AbortMultipartUpload")).response;
  // `conflict` is NoSuchUpload: it has ended already.
  if (response || response.failed_with(ErrorKind::conflict) || response.failed_with(ErrorKind::not_found)) return {};
  return std::move(response).error();
}

UploadOutcome upload_in_parts(const S3Caller& caller, std::string_view key, const StoredBytes& body,
                              const PutOptions& options, ETagStyle style, const UploadProgress& progress) {
  MultipartUpload upload(caller, key, body, options);
  if (auto created = upload.create(); !created) return {std::move(created).error()};
  if (auto sent = upload.send_parts(progress); !sent) return {upload.abort(std::move(sent).error())};
  UploadOutcome outcome = upload.complete(style);
  if (!outcome.mark) outcome.mark = upload.abort(std::move(outcome.mark).error());
  return outcome;
}

}  // namespace repoupdate
