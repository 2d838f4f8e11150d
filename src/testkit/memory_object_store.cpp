// SPDX-License-Identifier: Apache-2.0
#include "testkit/memory_object_store.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <sstream>

#include "base/hash.hpp"
#include "model/pinned_bytes.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_page = 1000;

std::string get_request(std::string_view key, const ByteRange& range) {
  return "GET " + std::string(key) + ' ' + std::to_string(range.first) + '+' + std::to_string(range.length);
}

// As S3 makes it of an object that was put in one piece.
ETag etag_of(std::string_view bytes) {
  return {'"' + hash_hex(HashType::md5, bytes) + '"'};
}

}  // namespace

std::vector<std::string> MemoryObjectStore::requests() const {
  const std::scoped_lock lock(m_mutex);
  return m_requests;
}

void MemoryObjectStore::forget_requests() {
  const std::scoped_lock lock(m_mutex);
  m_requests.clear();
}

ETag MemoryObjectStore::place(const std::string& key, std::string bytes, SystemTime last_modified, bool knows_sha256) {
  const std::scoped_lock lock(m_mutex);
  ++m_versions;
  const ETag etag = etag_of(bytes);
  const std::string sha256 = sha256_hex(bytes);
  m_objects[key] = {std::move(bytes), etag, last_modified, {}, knows_sha256, sha256};
  return etag;
}

void MemoryObjectStore::drop(const std::string& key) {
  const std::scoped_lock lock(m_mutex);
  m_objects.erase(key);
}

std::map<std::string, MemoryObjectStore::Stored> MemoryObjectStore::contents() const {
  const std::scoped_lock lock(m_mutex);
  return m_objects;
}

void MemoryObjectStore::restore(std::map<std::string, Stored> contents) {
  const std::scoped_lock lock(m_mutex);
  m_objects = std::move(contents);
  m_uploads.clear();
}

Result<void> MemoryObjectStore::record(std::string request) {
  {
    const std::scoped_lock lock(m_mutex);
    m_requests.push_back(request);
  }
  return before ? before(request) : Result<void>{};
}

ObjectInfo MemoryObjectStore::describe(const std::string& key, const Stored& stored) const {
  ObjectInfo info{key, stored.bytes.size(), stored.etag, stored.last_modified, std::nullopt};
  if (stored.knows_sha256) info.sha256 = stored.sha256;
  if (time) info.answered = time();
  return info;
}

Result<Object> MemoryObjectStore::fetch(std::string_view key, const GetOptions& options) const {
  const std::scoped_lock lock(m_mutex);
  const auto found = m_objects.find(std::string(key));
  if (found == m_objects.end()) return Error{ErrorKind::not_found, std::string(key) + ": no such object", {}};
  const Stored& stored = found->second;
  if (options.if_match && *options.if_match != stored.etag)
    return Error{ErrorKind::precondition_failed, std::string(key) + ": changed meanwhile", {}};
  if (options.if_none_match && *options.if_none_match == stored.etag)
    return Error{ErrorKind::precondition_failed, std::string(key) + ": not changed", {}};
  const ByteRange range = options.range.value_or(ByteRange{0, stored.bytes.size()});
  const auto first = std::min<std::size_t>(range.first, stored.bytes.size());
  return Object{describe(found->first, stored), stored.bytes.substr(first, range.length)};
}

Result<ObjectInfo> MemoryObjectStore::head(std::string_view key) {
  if (auto recorded = record("HEAD " + std::string(key)); !recorded) return recorded.error();
  auto object = fetch(key, {});
  if (!object) return object.error();
  return object->info;
}

Result<Object> MemoryObjectStore::get(std::string_view key, const GetOptions& options, std::uint64_t limit) {
  const std::string request = options.range ? get_request(key, *options.range) : "GET " + std::string(key);
  if (auto recorded = record(request); !recorded) return recorded.error();
  auto object = fetch(key, options);
  if (object && on_the_way) on_the_way(request, object->bytes);
  if (object && object->bytes.size() > limit)
    return Error{ErrorKind::invalid, std::string(key) + ": larger than " + std::to_string(limit) + " bytes", {}};
  return object;
}

Result<ObjectInfo> MemoryObjectStore::read(std::string_view key, const GetOptions& options, const ByteSink& sink) {
  auto recorded = record(options.range ? get_request(key, *options.range) : "READ " + std::string(key));
  if (!recorded) return recorded.error();
  auto object = fetch(key, options);
  if (!object) return object.error();
  if (auto taken = sink(object->bytes); !taken) return taken.error();
  return object->info;
}

Result<SharedBytes> MemoryObjectStore::open(std::string_view key) {
  auto info = head(key);
  if (!info) return std::move(info).error();
  if (!m_is_local) return SharedBytes(std::make_shared<const PinnedBytes>(*this, *std::move(info)));
  auto object = fetch(key, {});
  if (!object) return std::move(object).error();
  return in_memory(std::move(object->bytes));
}

Result<ObjectInfo> MemoryObjectStore::put(std::string_view key, std::string_view bytes, const PutOptions& options) {
  if (auto recorded = record("PUT " + std::string(key)); !recorded) return recorded.error();
  const std::scoped_lock lock(m_mutex);
  const auto found = m_objects.find(std::string(key));
  const bool exists = found != m_objects.end();
  const bool conditional = options.if_absent || options.if_match;
  if (conditional && m_conditions == Condition::refused)
    return Error{ErrorKind::unsupported, std::string(key) + ": no conditional writes", {}};
  const bool fails =
      (options.if_absent && exists) || (options.if_match && (!exists || found->second.etag != *options.if_match));
  if (conditional && (m_conditions == Condition::never_met || (fails && m_conditions == Condition::honoured)))
    return Error{ErrorKind::precondition_failed, std::string(key) + ": the condition does not hold", {}};
  if (!options.sha256.empty() && options.sha256 != sha256_hex(bytes))
    return Error{ErrorKind::corrupt, std::string(key) + ": the bytes do not match the SHA-256 sent", {}};
  ++m_versions;
  const ETag etag = etag_of(bytes);
  const SystemTime now = time ? time() : SystemTime(std::chrono::seconds(1'800'000'000 + m_versions));
  Stored stored{std::string(bytes), etag, now, options, true, sha256_hex(bytes)};
  const auto placed = m_objects.insert_or_assign(std::string(key), std::move(stored)).first;
  return describe(placed->first, placed->second);
}

Result<ObjectInfo> MemoryObjectStore::put(std::string_view key, const StoredBytes& body, const PutOptions& options) {
  if (auto given = check_sha256_given(key, options); !given) return std::move(given).error();
  const auto bytes = read_all(body, std::numeric_limits<std::uint64_t>::max());
  if (!bytes) return unreadable_body(bytes.error());
  return put(key, *bytes, options);
}

Result<ObjectInfo> MemoryObjectStore::put_file(std::string_view key, const std::filesystem::path& file,
                                               const PutOptions& options, const UploadProgress& progress) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{ErrorKind::not_found, file.string() + ": cannot be read", {}};
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  auto stored = put(key, bytes.str(), options);
  if (stored && progress) progress(stored->size);
  return stored;
}

Result<void> MemoryObjectStore::remove(std::string_view key, const RemoveOptions& options) {
  if (auto recorded = record("DELETE " + std::string(key)); !recorded) return recorded.error();
  if (on_remove) on_remove(std::string(key), options);
  drop(std::string(key));
  return {};
}

Result<ListPage> MemoryObjectStore::list(std::string_view prefix, std::string_view continuation) {
  if (auto recorded = record("LIST " + std::string(prefix)); !recorded) return recorded.error();
  return page_after(prefix, continuation, k_page);
}

Result<ListPage> MemoryObjectStore::list_after(std::string_view prefix, std::string_view after, std::size_t at_most) {
  if (auto recorded = record("LIST " + std::string(prefix) + " after " + std::string(after)); !recorded)
    return recorded.error();
  return page_after(prefix, after, std::min(at_most, k_page));
}

ListPage MemoryObjectStore::page_after(std::string_view prefix, std::string_view after, std::size_t at_most) const {
  const std::scoped_lock lock(m_mutex);
  ListPage page;
  auto next = after < prefix ? m_objects.lower_bound(std::string(prefix)) : m_objects.upper_bound(std::string(after));
  for (; next != m_objects.end() && next->first.starts_with(prefix); ++next) {
    if (page.objects.size() == at_most) {
      page.next = page.objects.back().key;
      break;
    }
    page.objects.push_back(describe(next->first, next->second));
    page.objects.back().sha256.reset();
  }
  return page;
}

void MemoryObjectStore::begin_upload(const PendingUpload& upload) {
  const std::scoped_lock lock(m_mutex);
  m_uploads[upload.key + '\n' + upload.id] = upload;
}

Result<UploadPage> MemoryObjectStore::list_uploads(std::string_view prefix, std::string_view continuation) {
  if (auto recorded = record("UPLOADS " + std::string(prefix)); !recorded) return recorded.error();
  constexpr std::size_t k_page = 1000;
  const std::scoped_lock lock(m_mutex);
  UploadPage page;
  auto next = continuation.empty() ? m_uploads.lower_bound(std::string(prefix))
                                   : m_uploads.upper_bound(std::string(continuation));
  for (; next != m_uploads.end() && next->second.key.starts_with(prefix); ++next) {
    if (page.uploads.size() == k_page) {
      page.next = std::prev(next)->first;
      break;
    }
    page.uploads.push_back(next->second);
  }
  return page;
}

Result<void> MemoryObjectStore::drop_upload(const PendingUpload& upload) {
  if (auto recorded = record("DROP " + upload.key + ' ' + upload.id); !recorded) return recorded.error();
  const std::scoped_lock lock(m_mutex);
  m_uploads.erase(upload.key + '\n' + upload.id);
  return {};
}

}  // namespace repoupdate
