// SPDX-License-Identifier: Apache-2.0
// What a store says about the things it keeps. A key is raw UTF-8 as the store knows it, without a
// leading slash; never percent-encoded, never a local path.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace repoupdate {

// The store's opaque version mark, kept exactly as sent (with quotes where there were some).
// It is not a hash (multipart, KMS): compare it with another ETag. One that is not some bytes' MD5 says nothing about
// them; one that is, is theirs.
struct ETag {
  std::string text;
  bool operator==(const ETag&) const = default;
};

// Without its quotes: stores differ in whether they quote the ETags of a listing.
inline std::string_view bare(const ETag& etag) {
  std::string_view text = etag.text;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  return text;
}

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;  // at least 1
};

struct ObjectInfo {
  std::string key;
  std::uint64_t size = 0;
  ETag etag;
  SystemTime last_modified{};
  // SHA-256 of the whole object, lower-case hex, when the store vouches for it (a full-object checksum, not
  // a composite one) or our uploader recorded it; else nothing. Listings never have it.
  std::optional<std::string> sha256;
  SystemTime answered{};     // the store's own clock when it said so; the epoch where it does not tell
  std::string request_id{};  // of the request that put it, where put() returns it and the store names its requests
};

struct Object {
  ObjectInfo info;
  std::string bytes;  // of the range asked for; info.size is the whole object's
};

struct ListPage {
  std::vector<ObjectInfo> objects;
  std::string next;  // pass to the next call; empty at the end
};

// An upload in parts that was begun and has not ended: it is under way, or somebody crashed and left it behind. Its
// parts take room, and no listing of objects shows them.
struct PendingUpload {
  std::string key;
  std::string id;  // the store's, opaque
  SystemTime begun{};
};

struct UploadPage {
  std::vector<PendingUpload> uploads;
  std::string next;  // pass to the next call; empty at the end
};

}  // namespace repoupdate
