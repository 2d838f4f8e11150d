// SPDX-License-Identifier: Apache-2.0
// A bucket of Amazon S3, or of a store that speaks its protocol, behind the door.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "io/ability_files.hpp"
#include "io/aws_sender.hpp"
#include "io/s3_caller.hpp"
#include "io/s3_request.hpp"
#include "model/object_store.hpp"

namespace repoupdate {

// Where what is found out about a store's abilities goes to and comes from.
struct AbilityBook {
  const AbilityFiles* files = nullptr;                   // outlives the store; null: nothing is kept
  std::function<void(const StoreAbilities&)> on_learnt;  // called once a store, when they are known; may be empty
};

struct S3StoreOptions : S3BucketOptions {
  AbilityBook abilities;
  std::stop_token stop;           // ends every call with ErrorKind::cancelled
  RequestMeter* meter = nullptr;  // counts every call; outlives the store; null: nobody does
};

inline constexpr int k_max_fetches = 3;
inline constexpr std::uint64_t k_max_single_put = 64ULL << 20;  // of what put() reads as it goes; more goes in parts

// Failures name the bucket and key and carry the request id. A bucket that does not exist is
// ErrorKind::no_store, never not_found: a wrong name must not look like packages that are gone (I14).
// A store without conditional writes answers a condition with ErrorKind::unsupported, or ignores it: see abilities().
//
// The info that put() and put_file() return has the Last-Modified that the store's Date suggests; head() tells it to
// the second. Where the store's answer does not tell the ETag or the time, they are the object's, which must still have
// these bytes: else another writer was there, and that is precondition_failed, or conflict for a put without a
// condition.
class S3Store final : public ObjectStore {
public:
  // The sender must outlive the store. ErrorKind::invalid as resolve_bucket() says.
  static Result<std::unique_ptr<S3Store>> open(S3StoreOptions options, AwsSender& sender);

  S3Store(S3Bucket bucket, AwsSender& sender, std::stop_token stop, AbilityBook abilities = {},
          RequestMeter* meter = nullptr);

  std::string name() const override;
  // AWS honours all conditions. What another store does with them is taken from the book's files, or probed
  // (io/s3_probe) once; errors are those of the probe, and the next call tries again.
  Result<StoreAbilities> abilities(std::string_view prefix) override;
  Result<ObjectInfo> head(std::string_view key) override;
  // A whole object whose SHA-256 the store tells is held against it, and fetched again (k_max_fetches times in all)
  // when it arrives damaged; ErrorKind::corrupt when it always does.
  Result<Object> get(std::string_view key, const GetOptions& options, std::uint64_t limit) override;
  // A transfer that breaks off goes on where it stopped, pinned to the same ETag. Of a whole object, ErrorKind::corrupt
  // at its end when it does not have the SHA-256 that the store tells: what was delivered cannot be taken back.
  Result<ObjectInfo> read(std::string_view key, const GetOptions& options, const ByteSink& sink) override;
  // One HEAD, then what PinnedBytes asks for.
  Result<SharedBytes> open(std::string_view key) override;
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutOptions& options) override;
  Result<ObjectInfo> put(std::string_view key, const StoredBytes& body, const PutOptions& options) override;
  Result<ObjectInfo> put_file(std::string_view key, const std::filesystem::path& file, const PutOptions& options,
                              const UploadProgress& progress) override;
  Result<void> remove(std::string_view key, const RemoveOptions& options) override;
  Result<ListPage> list(std::string_view prefix, std::string_view continuation) override;
  Result<ListPage> list_after(std::string_view prefix, std::string_view after, std::size_t at_most) override;
  Result<UploadPage> list_uploads(std::string_view prefix, std::string_view continuation) override;
  Result<void> drop_upload(const PendingUpload& upload) override;

private:
  struct Upload;
  Result<Object> fetch(const AwsCall& call, std::string_view key, const GetOptions& options);
  UploadOutcome send_at_once(const Upload& upload, ETagStyle style, HttpExchange payload) const;
  Result<ObjectInfo> put_body(std::string_view key, const StoredBytes& body, const PutOptions& options,
                              const UploadProgress& progress);
  Result<ObjectInfo> store(const Upload& upload);
  Result<void> check_condition(std::string_view key, const PutOptions& options);
  bool accepts_bare_etag(const Upload& upload);
  Result<ObjectInfo> find_own(const Upload& upload);
  Result<ObjectInfo> confirm(const Upload& upload);
  Result<ListPage> send_list(const HttpRequest& request, std::string_view prefix);
  Error missing(Error error);
  Error unread(AwsOutcome outcome);
  Result<ObjectInfo> past_end(std::string_view key, const GetOptions& options);
  void learn(const StoreAbilities& abilities);

  S3Caller m_caller;
  std::atomic<bool> m_bucket_exists = false;
  std::atomic<ETagStyle> m_etag_style = ETagStyle::as_sent;
  std::atomic<bool> m_completes_conditionally = true;
  AbilityBook m_book;
  std::mutex m_mutex;  // held while it is being found out, so that this is done once
  std::optional<StoreAbilities> m_abilities;
};

}  // namespace repoupdate
