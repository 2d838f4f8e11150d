// SPDX-License-Identifier: Apache-2.0
#include "sync/package_fetch.hpp"

#include <algorithm>
#include <utility>

#include "base/hash.hpp"
#include "sync/object_hash.hpp"
#include "sync/whole_package.hpp"

namespace repoupdate {
namespace {

// An object that changes between HEAD and GET is looked at again, this often.
constexpr int k_max_looks = 3;

bool is_listed(const PackageRecord& record, const IndexEntry* listed) {
  return listed && record.pkgid.hex == listed->pkgid;
}

}  // namespace

Finding PackageFetch::look(const std::string& href, const IndexEntry* listed, const Finding* earlier) const {
  const std::string key = m_prefix + href;
  std::optional<Error> last;
  bool arrived_damaged = false;
  for (int attempt = 0; attempt < k_max_looks; ++attempt) {
    auto start = begin(key, listed || earlier);
    if (start.failed_with(ErrorKind::not_found)) return {href, Gone{}, {}};
    if (start) {
      const ObjectInfo& object = start->object;
      if (earlier && earlier->etag == object.etag && std::holds_alternative<PackageRecord>(earlier->what))
        return is_listed(std::get<PackageRecord>(earlier->what), listed) ? Finding{href, Unchanged{}, object.etag}
                                                                         : *earlier;
      if (listed && object.sha256 == listed->pkgid && object.size == listed->size)
        return {href, Unchanged{}, object.etag};
      if (listed && has_old_pkgid(key, object, *listed)) return {href, Unchanged{}, object.etag};
      // The bytes of an entry that has this size may be the listed ones, which have to be read to tell.
      if (!listed || listed->size != object.size)
        if (auto fits = check_size(m_ingest, object.size); !fits)
          return {href, std::move(fits).error(), object.etag, object.size, true};
    }
    const ETag etag = start ? start->object.etag : ETag{};
    const std::uint64_t size = start ? start->object.size : 0;
    const bool is_empty = start && size == 0;
    auto found = start ? read(href, *std::move(start)) : Result<Read>(std::move(start).error());
    if (found) {
      if (is_listed(found->record, listed)) return {href, Unchanged{}, etag};
      if (!found->verdict) return {href, std::move(found->verdict).error(), etag, size, true};
      return {href, std::move(found->record), etag, size};
    }
    last = std::move(found).error();
    const bool moved = last->kind == ErrorKind::precondition_failed || last->kind == ErrorKind::not_found;
    // Most ranges carry no checksum: what is no package may have become that on its way.
    const bool may_be_sound = last->kind == ErrorKind::corrupt && !is_empty && !m_store.is_local();
    if (!moved && !(may_be_sound && !std::exchange(arrived_damaged, true))) return {href, std::move(*last), etag, size};
  }
  last->kind = ErrorKind::unavailable;  // it keeps changing under us: worth another try later
  return {href, std::move(*last), {}};
}

// What is listed is mostly there unchanged, which a HEAD tells; a package that is new has to be read.
Result<PackageFetch::Start> PackageFetch::begin(const std::string& key, bool is_known) const {
  Start start;
  if (!is_known) {
    const ByteRange first{0, k_first_read};
    auto object = m_store.get(key, {.range = first}, k_first_read);
    if (object) {
      start = {.object = std::move(object->info), .head = std::move(object->bytes)};
      if (auto learnt = learn_sha256(key, start); !learnt) return std::move(learnt).error();
      return start;
    }
    if (!object.failed_with(ErrorKind::invalid)) return std::move(object).error();  // invalid: an empty object
  }
  auto object = m_store.head(key);
  if (!object) return std::move(object).error();
  start.object = *std::move(object);
  return start;
}

// The answer to a range carries the uploader's record of the SHA-256, but not the store's own checksum. A directory has
// neither.
Result<void> PackageFetch::learn_sha256(const std::string& key, Start& start) const {
  if (start.object.sha256 || start.head.size() == start.object.size || m_store.is_local()) return {};
  auto object = m_store.head(key);
  if (!object) return std::move(object).error();
  if (object->etag != start.object.etag)
    return Error{ErrorKind::precondition_failed, key + ": changed while it was read", {}};
  start.object.sha256 = std::move(object->sha256);
  return {};
}

// Repositories that were begun long ago list SHA-1 pkgids; an entry whose bytes are still there stays as it is.
bool PackageFetch::has_old_pkgid(const std::string& key, const ObjectInfo& object, const IndexEntry& listed) const {
  const auto type = hash_type_of_length(listed.pkgid.size());
  if (!type || *type == HashType::sha256 || object.size != listed.size) return false;
  const auto digest = hash_object(m_store, key, {.if_match = object.etag}, *type);
  return digest && *digest == listed.pkgid;
}

Result<PackageFetch::Read> PackageFetch::read(const std::string& href, Start start) const {
  if (start.object.size == 0) return Error{ErrorKind::corrupt, "the object is empty; upload the package again", {}};
  return start.object.sha256 ? read_header(href, std::move(start)) : read_whole(href, std::move(start));
}

Result<PackageFetch::Read> PackageFetch::read_header(const std::string& href, Start start) const {
  const ObjectInfo& object = start.object;
  std::string& head = start.head;
  const std::string key = m_prefix + href;
  ByteBudget::Share share;
  for (;;) {
    const auto probe = probe_header(head, object.size);
    if (!probe) return probe.error();
    if (probe->complete(head.size())) {
      if (head.size() == object.size && sha256_hex(head) != *object.sha256)
        return Error{ErrorKind::corrupt, "what arrives does not have the SHA-256 that the store tells", {}};
      return record(href, object, *object.sha256, head, *probe->range);
    }
    share = {};  // who waits for more must not hold any
    if (probe->need > k_first_read) share = m_large_headers.take(probe->need);
    const ByteRange missing{head.size(), probe->need - head.size()};
    auto part = m_store.get(key, {.range = missing, .if_match = object.etag}, probe->need);
    if (!part) return std::move(part).error();
    if (part->bytes.empty()) return Error{ErrorKind::corrupt, "the store sent fewer bytes than the object has", {}};
    head += part->bytes;
  }
}

Result<PackageFetch::Read> PackageFetch::read_whole(const std::string& href, Start start) const {
  const ObjectInfo& object = start.object;
  const std::string key = m_prefix + href;
  WholePackage arrived(object.size, !m_store.is_local());
  const auto take = [&](std::string_view bytes) { return arrived.take(bytes); };
  if (!start.head.empty())
    if (auto taken = take(start.head); !taken) return std::move(taken).error();
  if (const auto seen = arrived.seen(); seen < object.size) {
    ByteBudget::Share share;
    if (arrived.head_wanted() > k_first_read) share = m_large_headers.take(arrived.head_wanted());
    const GetOptions rest{.range = seen > 0 ? std::optional(ByteRange{seen, object.size - seen}) : std::nullopt,
                          .if_match = object.etag};
    if (const auto delivered = m_store.read(key, rest, take); !delivered) return delivered.error();
  }
  if (!arrived.is_complete())
    return Error{ErrorKind::corrupt, "truncated: " + std::to_string(arrived.seen()) + " bytes could be read", {}};
  const std::string sha256 = arrived.sha256();
  if (!m_store.is_local())
    if (auto sound = confirm(key, object, arrived, sha256); !sound) return std::move(sound).error();
  return record(href, object, sha256, arrived.head(), arrived.range());
}

// Nobody has told the SHA-256, so damage on the way would become the package's pkgid. What the package's own digests do
// not speak for is read once more: what comes twice is what the store has, be it sound or not. What came in one piece
// needs no second request where the ETag happens to be its MD5, as that of most small objects; any other ETag says
// nothing.
Result<void> PackageFetch::confirm(const std::string& key, const ObjectInfo& object, WholePackage& arrived,
                                   const std::string& sha256) const {
  const bool is_in_one_piece = arrived.head().size() == object.size;
  if (is_in_one_piece && hash_hex(HashType::md5, arrived.head()) == bare(object.etag)) return {};
  bool is_same = false;
  if (arrived.payload_fits()) {
    const std::string_view before(arrived.head().data(), arrived.range().start);
    const ByteRange range{0, before.size()};
    const auto again = m_store.get(key, {.range = range, .if_match = object.etag}, range.length);
    if (!again) return again.error();
    is_same = again->bytes == before;
  } else {
    const auto again = hash_object(m_store, key, {.if_match = object.etag}, HashType::sha256);
    if (!again) return again.error();
    is_same = *again == sha256;
  }
  if (is_same) return {};
  return Error{ErrorKind::corrupt, "other bytes arrive each time that it is read", {}};
}

Result<PackageFetch::Read> PackageFetch::record(const std::string& href, const ObjectInfo& object,
                                                const std::string& sha256, std::string_view head,
                                                const HeaderRange& range) const {
  const PackageFacts facts{.pkgid = {HashType::sha256, sha256},
                           .location_href = href,
                           .size = object.size,
                           .time_file = object.last_modified.time_since_epoch().count()};
  auto record = read_package(head, range, facts, m_options);
  if (!record) return std::move(record).error();
  auto verdict = check_package(m_ingest, *record, head, range);
  return Read{*std::move(record), std::move(verdict)};
}

}  // namespace repoupdate
