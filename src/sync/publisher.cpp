// SPDX-License-Identifier: Apache-2.0
#include "sync/publisher.hpp"

#include <vector>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "repodata/stored_file.hpp"

namespace repoupdate {
namespace {

constexpr std::string_view k_cache_for_ever = "public, max-age=31536000, immutable";
constexpr std::string_view k_cache_never = "no-cache";

// A file of that name is there: fine when it has these very bytes, as after a lost race or a crash.
Result<void> confirm_present(const Repository& repository, const std::string& key, const PublishedFile& file) {
  const auto present = repository.store->open(key);
  if (!present) return present.error();
  if ((*present)->size() == file.body->size()) {
    const auto digest = hash_stored(**present, HashType::sha256);
    if (!digest) return digest.error();
    if (*digest == file.sha256) return {};
  }
  return Error{
      ErrorKind::corrupt,
      repository.name + '/' + file.key +
          ": the object is there with other bytes than its name says; delete it, the next update puts it again",
      {}};
}

// 409: two writers at the same moment. That is a race lost like any other.
Error lost_or_failed(Error error) {
  if (error.kind == ErrorKind::conflict) error.kind = ErrorKind::precondition_failed;
  return error;
}

Result<void> put_immutable(const Repository& repository, const PublishedFile& file) {
  const std::string key = repository.prefix + file.key;
  PutOptions options;
  options.if_absent = true;
  options.content_type = file.content_type;
  options.cache_control = k_cache_for_ever;
  options.sha256 = file.sha256;
  auto put = repository.store->put(key, *file.body, options);
  if (put.failed_with(ErrorKind::precondition_failed)) return confirm_present(repository, key, file);
  if (!put) return lost_or_failed(std::move(put).error());
  if (put->size != file.body->size())
    return Error{ErrorKind::corrupt,
                 repository.name + '/' + file.key + ": the store kept " + std::to_string(put->size) + " of " +
                     std::to_string(file.body->size()) + " bytes",
                 {}};
  return {};
}

Result<ETag> put_pointer(const Repository& repository, const Publication& publication) {
  const PublishedObject& pointer = publication.pointer;
  PutOptions options;
  options.if_absent = !publication.base;
  options.if_match = publication.base;
  options.content_type = pointer.content_type;
  options.cache_control = k_cache_never;
  options.sha256 = pointer.sha256;
  auto put = repository.store->put(repository.prefix + pointer.key, pointer.bytes, options);
  if (put) return put->etag;
  return lost_or_failed(std::move(put).error());
}

}  // namespace

Result<ETag> publish(const Repository& repository, const Publication& publication, std::stop_token stop) {
  std::vector<Result<void>> outcomes(publication.immutable.size());
  for_each_parallel(publication.immutable.size(), repository.policy.requests,
                    [&](std::size_t i) { outcomes[i] = put_immutable(repository, publication.immutable[i]); });
  for (auto& outcome : outcomes)
    if (!outcome) return std::move(outcome).error();
  if (stop.stop_requested())
    return Error{ErrorKind::cancelled, repository.name + ": stopped before repomd.xml was written", {}};
  return put_pointer(repository, publication);  // from here on the new repository is visible
}

}  // namespace repoupdate
