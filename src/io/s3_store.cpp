// SPDX-License-Identifier: Apache-2.0
#include "io/s3_store.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/hash.hpp"
#include "base/random_id.hpp"
#include "io/file_bytes.hpp"
#include "io/s3_multipart.hpp"
#include "io/s3_probe.hpp"
#include "io/s3_response.hpp"
#include "model/pinned_bytes.hpp"

namespace repoupdate {
namespace {

constexpr int k_max_missed = 3;  // times that a PUT is sent again after it found nothing

bool has_condition(const PutOptions& options) {
  return options.if_absent || options.if_match.has_value();
}

// If-Match on a key that does not exist is answered 404 or 412, by one store or the other.
bool is_condition_failure(const PutOptions& options, ErrorKind kind) {
  return has_condition(options) &&
         (kind == ErrorKind::precondition_failed || (kind == ErrorKind::not_found && options.if_match));
}

Error damaged(const std::string& subject) {
  return {ErrorKind::corrupt, subject + ": what arrives does not have the SHA-256 that the store tells", {}};
}

// Why the service gives no bytes may have to do with the request, the account, an encryption key or a proxy: whatever it
// is, nobody has seen the bytes, and it is no verdict on them.
Error without_verdict(AwsOutcome outcome) {
  Error error = std::move(outcome.response).error();
  const int status = outcome.refusal.status;
  if (status >= 300 && is_final(error.kind)) error.kind = status < 400 ? ErrorKind::unavailable : ErrorKind::denied;
  return error;
}

// So says the service; past_end() looks whether it is true.
bool is_past_end(const AwsOutcome& outcome, const GetOptions& options) {
  constexpr int k_range_not_satisfiable = 416;
  return options.range && !outcome.response && outcome.refusal.status == k_range_not_satisfiable;
}

// Else the call is sent again, as often as one that is not answered.
std::function<Result<void>(const HttpResponse&)> tells_of_object(const AwsCall& call) {
  return [subject = call.subject](const HttpResponse& answer) -> Result<void> {
    if (auto info = parse_object_info({}, answer); !info) return std::move(info).error().within(subject);
    return {};
  };
}

}  // namespace

// A PUT in any of its forms, to be sent once or more. The views live as long as the call to put().
struct S3Store::Upload {
  std::string_view key;
  std::uint64_t size;
  const PutOptions& options;
  std::string sha256;
  std::function<UploadOutcome(ETagStyle style)> send;
};

Result<std::unique_ptr<S3Store>> S3Store::open(S3StoreOptions options, AwsSender& sender) {
  std::stop_token stop = options.stop;
  AbilityBook book = options.abilities;
  RequestMeter* meter = options.meter;
  auto bucket = resolve_bucket(std::move(options));
  if (!bucket) return bucket.error();
  return std::make_unique<S3Store>(*std::move(bucket), sender, std::move(stop), std::move(book), meter);
}

S3Store::S3Store(S3Bucket bucket, AwsSender& sender, std::stop_token stop, AbilityBook abilities, RequestMeter* meter)
    : m_caller(std::move(bucket), sender, std::move(stop), meter), m_book(std::move(abilities)) {}

std::string S3Store::name() const {
  return m_caller.subject({});
}

Result<StoreAbilities> S3Store::abilities(std::string_view prefix) {
  const AwsEndpoint& endpoint = m_caller.bucket().endpoint;
  if (!endpoint.custom) return StoreAbilities{};
  const std::scoped_lock lock(m_mutex);
  if (m_abilities) return *m_abilities;
  const std::string store =
      endpoint.scheme + "://" + endpoint.host + endpoint.path + '/' + m_caller.bucket().options.bucket;
  if (m_book.files) m_abilities = m_book.files->find(store);
  if (!m_abilities) {
    auto probed = probe_store(m_caller, std::string(prefix) + "repodata/.repoupdate/probe-" + random_id());
    if (!probed) return probed;
    if (m_book.files) m_book.files->keep(store, *probed);
    m_abilities = *probed;
  }
  learn(*m_abilities);
  return *m_abilities;
}

void S3Store::learn(const StoreAbilities& abilities) {
  if (abilities.bare_etags) m_etag_style = ETagStyle::bare;
  m_completes_conditionally = abilities.completion == Condition::honoured || abilities.completion == Condition::ignored;
  if (m_book.on_learnt) m_book.on_learnt(abilities);
}

// A 404 proves that the object is absent only in a bucket that is there: an answer to HEAD cannot say which of
// the two is missing.
Error S3Store::missing(Error error) {
  if (error.kind != ErrorKind::not_found || m_bucket_exists) return error;
  auto outcome = m_caller.send(m_caller.call(head_bucket_request(m_caller.bucket()), {}, "s3:ListBucket"));
  auto& answer = outcome.response;
  // A bucket that we may not list exists all the same.
  if (answer || answer.failed_with(ErrorKind::denied)) {
    m_bucket_exists = true;
    return error;
  }
  if (!answer.failed_with(ErrorKind::not_found)) return without_verdict(std::move(outcome));
  return {ErrorKind::no_store, name() + ": this bucket does not exist", std::move(answer).error().request_id};
}

Error S3Store::unread(AwsOutcome outcome) {
  return missing(without_verdict(std::move(outcome)));
}

// The object of which a range has no byte: its answer does not describe it.
Result<ObjectInfo> S3Store::past_end(std::string_view key, const GetOptions& options) {
  auto info = head(key);
  if (!info) return info;
  const std::string subject = m_caller.subject(key);
  if (options.if_match && info->etag != *options.if_match)
    return Error{ErrorKind::precondition_failed, subject + ": changed meanwhile", {}};
  if (info->size > options.range->first)
    return Error{ErrorKind::unavailable, subject + ": the store does not send a range that the object has", {}};
  return info;
}

Result<ObjectInfo> S3Store::head(std::string_view key) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  // HeadObject is allowed by the same action as GetObject.
  AwsCall call = m_caller.call(head_object_request(m_caller.bucket(), key), key, "s3:GetObject");
  call.check = tells_of_object(call);
  auto outcome = m_caller.send(call);
  if (!outcome.response) return unread(std::move(outcome));
  m_bucket_exists = true;
  auto info = parse_object_info(key, *outcome.response);
  if (!info) return std::move(info).error().within(call.subject);
  return info;
}

Result<Object> S3Store::get(std::string_view key, const GetOptions& options, std::uint64_t limit) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  AwsCall call = m_caller.call(get_object_request(m_caller.bucket(), key, options), key, "s3:GetObject");
  call.exchange.body_limit = limit;
  call.check = tells_of_object(call);
  for (int number = 1;; ++number) {
    auto object = fetch(call, key, options);
    if (!object || options.range || !object->info.sha256 || *object->info.sha256 == sha256_hex(object->bytes))
      return object;
    if (number == k_max_fetches) return damaged(call.subject);
    if (call.meter != nullptr) call.meter->retried(RetryCause::checksum);
  }
}

Result<Object> S3Store::fetch(const AwsCall& call, std::string_view key, const GetOptions& options) {
  auto outcome = m_caller.send(call);
  if (is_past_end(outcome, options)) {
    auto info = past_end(key, options);
    return info ? Result<Object>(Object{*std::move(info), {}}) : Result<Object>(std::move(info).error());
  }
  if (!outcome.response) {
    Error error = unread(std::move(outcome));
    // More than a range: the store does not know ranges, and what it sent is no verdict either.
    if (options.range && error.kind == ErrorKind::invalid) error.kind = ErrorKind::unavailable;
    return error;
  }
  HttpResponse& response = *outcome.response;
  m_bucket_exists = true;
  auto info = parse_object_info(key, response);
  if (!info) return std::move(info).error().within(call.subject);
  Object object{*std::move(info), std::move(response.body)};
  if (!options.range) return object;

  if (response.status == 206) {
    const auto range = parse_content_range(response.header("content-range"));
    const std::uint64_t wanted = std::min(options.range->length, object.info.size - options.range->first);
    if (!range || range->first != options.range->first || object.bytes.size() != wanted)
      return Error{ErrorKind::corrupt, call.subject + ": the store sent another range than was asked for", {}};
    return object;
  }
  // A store may ignore the range and send everything.
  object.bytes = object.bytes.substr(std::min(static_cast<std::size_t>(options.range->first), object.bytes.size()),
                                     static_cast<std::size_t>(options.range->length));
  return object;
}

Result<ObjectInfo> S3Store::read(std::string_view key, const GetOptions& options, const ByteSink& sink) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  const std::uint64_t first = options.range ? options.range->first : 0;
  std::uint64_t delivered = 0;
  std::optional<ObjectInfo> info;
  std::optional<Hasher> hasher;
  AwsCall call = m_caller.call(get_object_request(m_caller.bucket(), key, options), key, "s3:GetObject");

  call.exchange.on_head = [&](const HttpResponse& head) -> Result<void> {
    auto found = parse_object_info(key, head);
    if (!found) return std::move(found).error().within(call.subject);
    const auto range = parse_content_range(head.header("content-range"));
    const std::uint64_t begins = head.status == 206 && range ? range->first : 0;
    if (begins != first + delivered || (info && info->etag != found->etag))
      return Error{ErrorKind::corrupt, call.subject + ": the store sent other bytes than were asked for", {}};
    if (info) return {};
    info = *std::move(found);
    if (!options.range && info->sha256) hasher.emplace(HashType::sha256);
    return {};
  };
  call.exchange.sink = [&](std::string_view bytes) {
    delivered += bytes.size();
    if (hasher) hasher->update(bytes);
    return sink(bytes);
  };
  call.before_retry = [&](HttpRequest& request) {
    if (!info) return;
    request.set_header("range", range_header(first + delivered, options.range ? options.range->length - delivered : 0));
    request.set_header("if-match", info->etag.text);
  };

  auto outcome = m_caller.send(call);
  if (is_past_end(outcome, options) && !info) return past_end(key, options);
  if (!outcome.response) return unread(std::move(outcome));
  if (hasher && hasher->finish_hex() != *info->sha256) return damaged(call.subject);
  return *std::move(info);
}

Result<SharedBytes> S3Store::open(std::string_view key) {
  auto info = head(key);
  if (!info) return std::move(info).error();
  return SharedBytes(std::make_shared<const PinnedBytes>(*this, *std::move(info)));
}

// `payload` says what is sent.
UploadOutcome S3Store::send_at_once(const Upload& upload, ETagStyle style, HttpExchange payload) const {
  HttpRequest request = put_object_request(m_caller.bucket(), upload.key, upload.options, upload.sha256);
  add_condition(request, upload.options, style);
  AwsCall call = m_caller.call(std::move(request), upload.key, "s3:PutObject");
  call.payload_sha256 = upload.sha256;
  call.deadline = upload.options.deadline;
  payload.stop = call.exchange.stop;
  call.exchange = std::move(payload);
  AwsOutcome outcome = m_caller.send(call);
  if (!outcome.response) return {std::move(outcome.response).error(), outcome.answer_lost};
  return {stored_mark(*outcome.response), outcome.answer_lost};
}

Result<ObjectInfo> S3Store::put(std::string_view key, std::string_view bytes, const PutOptions& options) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  Upload upload{key, bytes.size(), options, options.sha256.empty() ? sha256_hex(bytes) : options.sha256, {}};
  upload.send = [&](ETagStyle style) {
    HttpExchange payload;
    payload.body = bytes;
    return send_at_once(upload, style, std::move(payload));
  };
  return store(upload);
}

Result<ObjectInfo> S3Store::put(std::string_view key, const StoredBytes& body, const PutOptions& options) {
  return put_body(key, body, options, {});
}

Result<ObjectInfo> S3Store::put_file(std::string_view key, const std::filesystem::path& path, const PutOptions& options,
                                     const UploadProgress& progress) {
  const auto file = FileBytes::open(path);
  if (!file) return file.error();
  return put_body(key, **file, options, progress);
}

Result<ObjectInfo> S3Store::put_body(std::string_view key, const StoredBytes& body, const PutOptions& options,
                                     const UploadProgress& progress) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  if (auto given = check_sha256_given(key, options); !given) return std::move(given).error().within(name());
  const bool in_parts = body.size() > k_max_single_put;
  if (in_parts && has_condition(options))
    if (auto holds = check_condition(key, options); !holds) return holds.error();
  PutOptions completion = options;
  if (!m_completes_conditionally) {
    completion.if_absent = false;
    completion.if_match.reset();
  }
  Upload upload{key, body.size(), options, options.sha256, {}};
  upload.send = [&](ETagStyle style) {
    if (in_parts) return upload_in_parts(m_caller, key, body, completion, style, progress);
    HttpExchange payload;
    send_from(payload, body, 0, body.size());
    if (progress)
      payload.upload = [&progress, next = std::move(payload.upload)](std::uint64_t offset) {
        progress(offset);
        return next(offset);
      };
    return send_at_once(upload, style, std::move(payload));
  };
  auto info = store(upload);
  if (info && progress) progress(body.size());
  return info;
}

// Before much is sent for nothing; and some stores ignore the condition at the end of a multipart upload.
Result<void> S3Store::check_condition(std::string_view key, const PutOptions& options) {
  const auto current = head(key);
  if (!current && current.error().kind != ErrorKind::not_found) return current.error();
  const bool holds = options.if_absent ? !current : current && current->etag == *options.if_match;
  if (holds) return {};
  return Error{ErrorKind::precondition_failed, m_caller.subject(key) + ": the object is not the one expected", {}};
}

// Sends the upload, and finds out what a failed condition means: somebody else was first, our own lost answer
// came first, or the store wants the ETag without its quotes.
Result<ObjectInfo> S3Store::store(const Upload& upload) {
  ETagStyle style = m_etag_style;
  bool may_have_taken_effect = false;
  for (int missed = 0;;) {
    UploadOutcome outcome = upload.send(style);
    if (outcome.mark) {
      if (style == ETagStyle::bare) m_etag_style = style;
      m_bucket_exists = true;
      if (outcome.mark->etag.text.empty() || outcome.mark->stored == SystemTime{}) return confirm(upload);
      return ObjectInfo{std::string(upload.key), upload.size, outcome.mark->etag,      outcome.mark->stored,
                        upload.sha256,           {},          outcome.mark->request_id};
    }
    Error error = std::move(outcome.mark).error();
    const bool condition_failed = is_condition_failure(upload.options, error.kind);
    if ((outcome.answer_lost || may_have_taken_effect) && (condition_failed || error.kind == ErrorKind::conflict)) {
      if (auto own = find_own(upload)) return own;
    }
    if (error.kind == ErrorKind::precondition_failed && style == ETagStyle::as_sent && accepts_bare_etag(upload)) {
      style = ETagStyle::bare;
      continue;
    }
    if (condition_failed) error.kind = ErrorKind::precondition_failed;
    // There is nothing in a bucket that a PUT could miss: it is the bucket or the endpoint that is wrong. But Ceph RGW 16
    // answers so to some of those who put one object at the same moment.
    if (error.kind == ErrorKind::not_found && missed++ < k_max_missed) {
      may_have_taken_effect = true;
      continue;
    }
    const bool is_race = upload.options.if_absent && m_bucket_exists;
    if (error.kind == ErrorKind::not_found) error.kind = is_race ? ErrorKind::conflict : ErrorKind::invalid;
    if (error.kind == ErrorKind::unsupported && has_condition(upload.options))
      error.message += ": this store has no conditional writes";
    return error;
  }
}

// What the answer to an upload does not tell, the object itself does, as long as it still is this upload's: another
// writer's ETag, taken for ours, would let us overwrite what that writer put.
Result<ObjectInfo> S3Store::confirm(const Upload& upload) {
  auto own = find_own(upload);
  if (own || !(own.failed_with(ErrorKind::precondition_failed) || own.failed_with(ErrorKind::not_found))) return own;
  Error error = std::move(own).error();
  error.kind = has_condition(upload.options) ? ErrorKind::precondition_failed : ErrorKind::conflict;
  return error;
}

// Ceph RGW 16 compares If-Match with the ETag without its quotes, and so refuses every ETag as it sends it. When
// the object still is the one expected, the refusal is worth one more try.
bool S3Store::accepts_bare_etag(const Upload& upload) {
  if (!upload.options.if_match || !upload.options.if_match->text.starts_with('"')) return false;
  const auto current = head(upload.key);
  return current && current->etag == *upload.options.if_match;
}

// The object, if its bytes are the ones of this upload.
Result<ObjectInfo> S3Store::find_own(const Upload& upload) {
  const Error other{ErrorKind::precondition_failed, m_caller.subject(upload.key) + ": other bytes", {}};
  auto info = head(upload.key);
  if (!info) return info;
  if (info->sha256) return *info->sha256 == upload.sha256 ? info : other;
  if (info->size != upload.size) return other;
  Hasher hasher(HashType::sha256);
  GetOptions pinned;
  pinned.if_match = info->etag;
  auto bytes = read(upload.key, pinned, [&hasher](std::string_view piece) {
    hasher.update(piece);
    return Result<void>();
  });
  if (!bytes) return bytes;
  return hasher.finish_hex() == upload.sha256 ? info : other;
}

Result<void> S3Store::remove(std::string_view key, const RemoveOptions& options) {
  if (auto checked = check_s3_key(key); !checked) return std::move(checked).error().within(name());
  AwsCall call = m_caller.call(delete_object_request(m_caller.bucket(), key), key, "s3:DeleteObject");
  call.exchange.once = options.once;
  if (options.once) call.attempts = 1;
  call.deadline = options.deadline;
  call.dated = options.decided;
  auto response = m_caller.send(call).response;
  if (response) return {};
  Error error = missing(std::move(response).error());
  if (error.kind == ErrorKind::not_found) return {};
  return error;
}

Result<ListPage> S3Store::list(std::string_view prefix, std::string_view continuation) {
  auto page = send_list(list_objects_request(m_caller.bucket(), prefix, continuation), prefix);
  // A store that does not look at the token gives the same page for ever.
  if (page && !page->next.empty() && page->next == continuation)
    return Error{ErrorKind::corrupt, m_caller.subject(prefix) + ": the listing does not go on", {}};
  return page;
}

Result<ListPage> S3Store::list_after(std::string_view prefix, std::string_view after, std::size_t at_most) {
  return send_list(list_objects_after_request(m_caller.bucket(), prefix, after, at_most), prefix);
}

Result<ListPage> S3Store::send_list(const HttpRequest& request, std::string_view prefix) {
  const AwsCall call = m_caller.call(request, prefix, "s3:ListBucket");
  auto response = m_caller.send(call).response;
  if (!response) {
    Error error = std::move(response).error();
    // Only the bucket can be missing here.
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::invalid;
    return error;
  }
  auto page = parse_list_objects(response->body);
  if (!page) return std::move(page).error().within(call.subject);
  m_bucket_exists = true;
  return page;
}

Result<UploadPage> S3Store::list_uploads(std::string_view prefix, std::string_view continuation) {
  const HttpRequest request = list_uploads_request(m_caller.bucket(), prefix, continuation);
  const AwsCall call = m_caller.call(request, prefix, "s3:ListBucketMultipartUploads");
  auto response = m_caller.send(call).response;
  if (!response) {
    Error error = std::move(response).error();
    if (error.kind == ErrorKind::not_found) error.kind = ErrorKind::invalid;  // as in list()
    return error;
  }
  auto page = parse_list_uploads(response->body);
  if (!page) return std::move(page).error().within(call.subject);
  if (!page->next.empty() && page->next == continuation)
    return Error{ErrorKind::corrupt, call.subject + ": the list of uploads does not go on", {}};
  return page;
}

Result<void> S3Store::drop_upload(const PendingUpload& upload) {
  if (auto checked = check_s3_key(upload.key); !checked) return std::move(checked).error().within(name());
  return abort_upload(m_caller, upload.key, upload.id);
}

}  // namespace repoupdate
