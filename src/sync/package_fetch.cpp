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

// Many headers may wait to be read: what came along with them goes. A larger one was asked for to the byte.
std::string only_header(std::string head, const HeaderRange& range) {
  return head.size() > k_first_read ? std::move(head) : head.substr(0, range.end);
}

}  // namespace

Finding PackageFetch::look(Question question) const {
  for (;;) {
    auto step = fetch(std::move(question));
    if (auto* finding = std::get_if<Finding>(&step)) return std::move(*finding);
    auto outcome = read(std::get<Fetched>(std::move(step)));
    if (auto* finding = std::get_if<Finding>(&outcome)) return std::move(*finding);
    question = std::get<Question>(std::move(outcome));
  }
}

std::variant<Finding, PackageFetch::Fetched> PackageFetch::fetch(Question question) const {
  const std::string key = m_prefix + question.href;
  for (;;) {
    auto start = begin(key, (question.listed || question.earlier) && !question.is_doubted);
    if (start.failed_with(ErrorKind::not_found)) return Finding{question.href, Gone{}, {}};
    const ObjectInfo object = start ? start->object : ObjectInfo{};
    if (start)
      if (auto finding = known(question, object)) return *std::move(finding);
    auto fetched = !start                 ? Result<Fetched>(std::move(start).error())
                   : start->object.sha256 ? fetch_header(key, *std::move(start))
                                          : fetch_whole(key, *std::move(start));
    if (fetched) {
      fetched->question = std::move(question);
      return *std::move(fetched);
    }
    if (auto last = give_up(question, object, std::move(fetched).error())) return *std::move(last);
  }
}

std::variant<Finding, PackageFetch::Question> PackageFetch::read(Fetched fetched) const {
  auto finding = describe(fetched);
  if (finding) return *std::move(finding);
  if (auto last = give_up(fetched.question, fetched.object, std::move(finding).error())) return *std::move(last);
  return std::move(fetched.question);
}

// What its head tells without another request, or with all of its bytes.
std::optional<Finding> PackageFetch::known(const Question& question, const ObjectInfo& object) const {
  const std::string& href = question.href;
  const IndexEntry* listed = question.listed;
  const Finding* earlier = question.earlier;
  if (earlier && earlier->etag == object.etag && std::holds_alternative<PackageRecord>(earlier->what))
    return is_listed(std::get<PackageRecord>(earlier->what), listed) ? Finding{href, Unchanged{}, object.etag}
                                                                     : *earlier;
  if (listed && object.sha256 == listed->pkgid && object.size == listed->size)
    return Finding{href, Unchanged{}, object.etag};
  if (listed && has_old_pkgid(m_prefix + href, object, *listed)) return Finding{href, Unchanged{}, object.etag};
  // The bytes of an entry that has this size may be the listed ones, which have to be read to tell.
  if (!listed || listed->size != object.size)
    if (auto fits = check_size(m_ingest, object.size); !fits)
      return Finding{href, std::move(fits).error(), object.etag, object.size, true};
  if (object.size > 0) return std::nullopt;
  return Finding{href, Error{ErrorKind::corrupt, "the object is empty; upload the package again", {}}, object.etag};
}

// Nothing: worth another look.
std::optional<Finding> PackageFetch::give_up(Question& question, const ObjectInfo& object, Error error) const {
  ++question.looks;
  const bool moved = error.kind == ErrorKind::precondition_failed || error.kind == ErrorKind::not_found;
  // Most ranges carry no checksum: what is no package may have become that on its way.
  const bool may_be_sound = error.kind == ErrorKind::corrupt && !m_store.is_local();
  if (!moved && !(may_be_sound && !std::exchange(question.arrived_damaged, true)))
    return Finding{question.href, std::move(error), object.etag, object.size};
  if (question.looks < k_max_looks) return std::nullopt;
  error.kind = ErrorKind::unavailable;  // it keeps changing under us: worth another try later
  return Finding{question.href, std::move(error), {}};
}

// What is listed is mostly there unchanged, which a HEAD tells; a package that is new has to be read.
Result<PackageFetch::Start> PackageFetch::begin(const std::string& key, bool is_known) const {
  Start start;
  if (!is_known) {
    const ByteRange first{0, k_first_read};
    auto object = m_store.get(key, {.range = first}, k_first_read);
    if (!object) return std::move(object).error();
    start = {.object = std::move(object->info), .head = std::move(object->bytes)};
    if (auto learnt = learn_sha256(key, start); !learnt) return std::move(learnt).error();
    return start;
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
  // It was there a moment ago: whether it has gone since, the next look tells.
  const bool is_missing = object.failed_with(ErrorKind::not_found);
  if (!object && !is_missing) return std::move(object).error();
  if (is_missing || object->etag != start.object.etag)
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

Result<PackageFetch::Fetched> PackageFetch::fetch_header(const std::string& key, Start start) const {
  auto& [object, head] = start;
  ByteBudget::Share share;
  for (;;) {
    const auto probe = probe_header(head, object.size);
    if (!probe) return probe.error();
    if (probe->complete(head.size())) {
      if (head.size() == object.size && sha256_hex(head) != *object.sha256)
        return Error{ErrorKind::corrupt, "what arrives does not have the SHA-256 that the store tells", {}};
      std::string header = only_header(std::move(head), *probe->range);
      return Fetched{{}, std::move(object), std::move(header), *probe->range, std::move(share)};
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

Result<PackageFetch::Fetched> PackageFetch::fetch_whole(const std::string& key, Start start) const {
  ObjectInfo& object = start.object;
  WholePackage arrived(object.size, !m_store.is_local());
  ByteBudget::Share share;
  const auto take = [&](std::string_view bytes) { return arrived.take(bytes); };
  if (!start.head.empty())
    if (auto taken = take(start.head); !taken) return std::move(taken).error();
  if (const auto seen = arrived.seen(); seen < object.size) {
    if (arrived.head_wanted() > k_first_read) share = m_large_headers.take(arrived.head_wanted());
    const GetOptions rest{.range = seen > 0 ? std::optional(ByteRange{seen, object.size - seen}) : std::nullopt,
                          .if_match = object.etag};
    if (const auto delivered = m_store.read(key, rest, take); !delivered) return delivered.error();
  }
  if (!arrived.is_complete())
    return Error{ErrorKind::corrupt, "truncated: " + std::to_string(arrived.seen()) + " bytes could be read", {}};
  object.sha256 = arrived.sha256();
  if (!m_store.is_local())
    if (auto sound = confirm(key, object, arrived); !sound) return std::move(sound).error();
  std::string header = only_header(arrived.take_head(), arrived.range());
  return Fetched{{}, std::move(object), std::move(header), arrived.range(), std::move(share)};
}

// Nobody has told the SHA-256, so damage on the way would become the package's pkgid. What the package's own digests do
// not speak for is read once more: what comes twice is what the store has, be it sound or not. What came in one piece
// needs no second request where the ETag happens to be its MD5, as that of most small objects; any other ETag says
// nothing.
Result<void> PackageFetch::confirm(const std::string& key, const ObjectInfo& object, WholePackage& arrived) const {
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
    is_same = *again == *object.sha256;
  }
  if (is_same) return {};
  return Error{ErrorKind::corrupt, "other bytes arrive each time that it is read", {}};
}

Result<Finding> PackageFetch::describe(const Fetched& fetched) const {
  const ObjectInfo& object = fetched.object;
  const std::string& href = fetched.question.href;
  const PackageFacts facts{.pkgid = {HashType::sha256, *object.sha256},
                           .location_href = href,
                           .size = object.size,
                           .time_file = object.last_modified.time_since_epoch().count()};
  auto record = read_package(fetched.head, fetched.range, facts, m_options);
  if (!record) return std::move(record).error();
  if (is_listed(*record, fetched.question.listed)) return Finding{href, Unchanged{}, object.etag};
  // The rules are for what is not listed yet.
  auto verdict = check_package(m_ingest, *record, fetched.head, fetched.range);
  if (!verdict) return Finding{href, std::move(verdict).error(), object.etag, object.size, true};
  return Finding{href, *std::move(record), object.etag, object.size};
}

}  // namespace repoupdate
