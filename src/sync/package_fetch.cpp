// SPDX-License-Identifier: Apache-2.0
#include "sync/package_fetch.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "sync/object_hash.hpp"

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
  for (int attempt = 0; attempt < k_max_looks; ++attempt) {
    const auto object = m_store.head(key);
    if (object.failed_with(ErrorKind::not_found)) return {href, Gone{}, {}};
    if (!object) return {href, object.error(), {}};
    if (earlier && earlier->etag == object->etag && std::holds_alternative<PackageRecord>(earlier->what))
      return is_listed(std::get<PackageRecord>(earlier->what), listed) ? Finding{href, Unchanged{}, object->etag}
                                                                       : *earlier;
    if (listed && object->sha256 == listed->pkgid && object->size == listed->size)
      return {href, Unchanged{}, object->etag};

    if (listed && has_old_pkgid(key, *object, *listed)) return {href, Unchanged{}, object->etag};

    auto record = read(href, *object);
    if (record) {
      if (is_listed(*record, listed)) return {href, Unchanged{}, object->etag};
      return {href, std::move(*record), object->etag};
    }
    last = std::move(record).error();
    const bool moved = last->kind == ErrorKind::precondition_failed || last->kind == ErrorKind::not_found;
    if (!moved) return {href, std::move(*last), object->etag};
  }
  last->kind = ErrorKind::unavailable;  // it keeps changing under us: worth another try later
  return {href, std::move(*last), {}};
}

// Repositories that were begun long ago list SHA-1 pkgids; an entry whose bytes are still there stays as it is.
bool PackageFetch::has_old_pkgid(const std::string& key, const ObjectInfo& object, const IndexEntry& listed) const {
  const auto type = hash_type_of_length(listed.pkgid.size());
  if (!type || *type == HashType::sha256 || object.size != listed.size) return false;
  const auto digest = hash_object(m_store, key, {.if_match = object.etag}, *type);
  return digest && *digest == listed.pkgid;
}

Result<PackageRecord> PackageFetch::read(const std::string& href, const ObjectInfo& object) const {
  if (object.size == 0) return Error{ErrorKind::corrupt, "the object is empty; upload the package again", {}};
  return object.sha256 ? read_header(href, object) : read_whole(href, object);
}

Result<PackageRecord> PackageFetch::read_header(const std::string& href, const ObjectInfo& object) const {
  const std::string key = m_prefix + href;
  std::string head;
  for (;;) {
    const auto probe = probe_header(head, object.size);
    if (!probe) return probe.error();
    if (probe->complete(head.size())) return record(href, object, *object.sha256, head, *probe->range);
    const GetOptions missing{.range = ByteRange{head.size(), probe->need - head.size()}, .if_match = object.etag};
    auto part = m_store.get(key, missing, probe->need);
    if (!part) return std::move(part).error();
    if (part->bytes.empty()) return Error{ErrorKind::corrupt, "the store sent fewer bytes than the object has", {}};
    head += part->bytes;
  }
}

Result<PackageRecord> PackageFetch::read_whole(const std::string& href, const ObjectInfo& object) const {
  Hasher hasher(HashType::sha256);
  std::string head;
  std::optional<HeaderRange> range;
  std::uint64_t wanted = 1, seen = 0;
  const auto take = [&](std::string_view bytes) -> Result<void> {
    hasher.update(bytes);
    seen += bytes.size();
    if (head.size() >= wanted) return {};
    head += bytes;
    if (head.size() < wanted) return {};
    const auto probe = probe_header(head, object.size);
    if (!probe) return probe.error();  // no package: the rest need not be fetched
    range = probe->range;
    wanted = probe->need;
    return {};
  };
  const auto delivered = m_store.read(m_prefix + href, {.range = {}, .if_match = object.etag}, take);
  if (!delivered) return delivered.error();
  if (seen != object.size || !range || head.size() < range->end)
    return Error{ErrorKind::corrupt, "truncated: " + std::to_string(seen) + " bytes could be read", {}};
  return record(href, object, hasher.finish_hex(), head, *range);
}

Result<PackageRecord> PackageFetch::record(const std::string& href, const ObjectInfo& object, const std::string& sha256,
                                           std::string_view head, const HeaderRange& range) const {
  const PackageFacts facts{.pkgid = {HashType::sha256, sha256},
                           .location_href = href,
                           .size = object.size,
                           .time_file = object.last_modified.time_since_epoch().count()};
  return read_package(head, range, facts, m_options);
}

}  // namespace repoupdate
