// SPDX-License-Identifier: Apache-2.0
// The door to where objects live: a bucket, or a directory that behaves like one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/object.hpp"
#include "model/store_abilities.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// Where the bytes of a streamed object go. An Error returned from it ends the transfer and is passed on.
using ByteSink = std::function<Result<void>(std::string_view)>;

// Called during an upload with the bytes done so far; from any thread, seldom enough to draw with.
using UploadProgress = std::function<void(std::uint64_t done)>;

struct GetOptions {
  std::optional<ByteRange> range;     // one that ends past the end is cut: that of an empty object has no bytes
  std::optional<ETag> if_match;       // ErrorKind::precondition_failed when the object is another one by now
  std::optional<ETag> if_none_match;  // precondition_failed when it still is this very one; a store may ignore it
};

struct PutOptions {
  bool if_absent = false;        // If-None-Match: *
  std::optional<ETag> if_match;  // at most one of the two
  std::string content_type = "application/octet-stream";
  std::string cache_control;  // empty: none
  // Lower-case hex. Sent so that the store verifies the bytes, and recorded as ObjectInfo::sha256.
  // Computed from the bytes when empty.
  std::string sha256;
  // By the clock of this machine: what is not done by then is given up, and nothing more of it is sent. What is in the
  // network by then may arrive all the same. A store that does it at once need not look.
  std::optional<SteadyTime> deadline;
};

struct RemoveOptions {
  // Leaves this program one time at most, so that it cannot have its effect a second time, on what was put since the
  // first. After unavailable, timed_out or cancelled nobody knows whether it had it, or still will.
  bool once = false;
  std::optional<SteadyTime> deadline;  // no attempt begins after it; a store of this machine may ignore it
  // The time that the request bears, in place of the present: a store that looks at it refuses one that comes long
  // after (S3: 15 minutes), wherever it was held up.
  std::optional<SystemTime> decided;
};

// Every call may be made from several threads at once. Failures are named (ErrorKind), never folded:
// not_found only when the store proved absence, no_store when the bucket or directory itself is missing; denied, throttled, unavailable, timed_out as they are.
// What cannot be read because the store refuses it, for whatever reason, is denied or unavailable: invalid, unsupported
// and corrupt speak of the key and the bytes (I14).
// Transient failures have already been retried within the implementation's deadline.
class ObjectStore {
public:
  virtual ~ObjectStore() = default;

  // "s3://bucket" or a directory's absolute path; for messages.
  virtual std::string name() const = 0;

  // The objects are files of this machine: open() and what it gives cost no request.
  virtual bool is_local() const { return false; }

  // What it makes of conditions. Asked before something is published under `prefix`: a store for which this is not
  // known may find it out by writing small objects below repodata/ there, once; what is known costs no request.
  virtual Result<StoreAbilities> abilities(std::string_view /*prefix*/) { return StoreAbilities{}; }

  // Size, ETag, Last-Modified, and the SHA-256 where one can be had without reading the object. That an object is not
  // there is better known from get(): what comes from a proxy in between may look like the store's own answer here.
  virtual Result<ObjectInfo> head(std::string_view key) = 0;

  // The object, or one range of it, in memory. At most `limit` bytes, else ErrorKind::invalid.
  virtual Result<Object> get(std::string_view key, const GetOptions& options, std::uint64_t limit) = 0;

  // The whole object in pieces, in order; the returned info is that of the bytes delivered.
  virtual Result<ObjectInfo> read(std::string_view key, const GetOptions& options, const ByteSink& sink) = 0;

  // The object as it is now, to be read at any offset and as often as wanted: each read is of that very version, or
  // fails with precondition_failed. The store must outlive it.
  virtual Result<SharedBytes> open(std::string_view key) = 0;

  // Atomic: readers see the old bytes or the new ones. precondition_failed when the condition does not hold;
  // if_match on a missing key is precondition_failed too. A repeated put that finds its own bytes in place
  // after a lost answer succeeds.
  virtual Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutOptions& options) = 0;

  // The same without the bytes in memory at once (options.sha256 must be set). corrupt when they do not have that
  // SHA-256; precondition_failed speaks of the condition alone: see unreadable_body().
  virtual Result<ObjectInfo> put(std::string_view key, const StoredBytes& body, const PutOptions& options) = 0;

  // The same from a file (options.sha256 must be set), in parts when large; nothing is left behind on failure.
  virtual Result<ObjectInfo> put_file(std::string_view key, const std::filesystem::path& file,
                                      const PutOptions& options, const UploadProgress& progress) = 0;

  // Absent already is success.
  virtual Result<void> remove(std::string_view key, const RemoveOptions& options) = 0;

  // One page (at most 1,000) of the objects whose key starts with `prefix`, sorted by key as bytes.
  // `continuation` is empty or ListPage::next of the page before.
  virtual Result<ListPage> list(std::string_view prefix, std::string_view continuation) = 0;

  // The first `at_most` (up to 1,000) of those whose key comes after `after`, which need not be a key itself.
  virtual Result<ListPage> list_after(std::string_view prefix, std::string_view after, std::size_t at_most) = 0;

  // One page of the uploads that have not ended, of keys that start with `prefix`; `continuation` as for list(). A
  // store whose uploads are not made of parts has none.
  virtual Result<UploadPage> list_uploads(std::string_view prefix, std::string_view continuation);

  // Ends an upload that list_uploads() named, and drops its parts; its key keeps what it holds. Ended already is
  // success.
  virtual Result<void> drop_upload(const PendingUpload& upload);
};

// What put() says when reading its body failed with `error`. A body that is other bytes by now is unavailable, never
// precondition_failed: that is about the object which is put.
Error unreadable_body(Error error);

// invalid unless options.sha256 is a SHA-256 in lower-case hex.
Result<void> check_sha256_given(std::string_view key, const PutOptions& options);

}  // namespace repoupdate
