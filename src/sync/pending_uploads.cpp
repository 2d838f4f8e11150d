// SPDX-License-Identifier: Apache-2.0
#include "sync/pending_uploads.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace repoupdate {

Result<std::vector<PendingUpload>> find_pending_uploads(const Repository& repository) {
  std::vector<PendingUpload> uploads;
  const auto is_nested = [&](const std::string& key) {
    return std::ranges::any_of(repository.nested, [&](const std::string& other) { return key.starts_with(other); });
  };
  std::string continuation;
  do {
    auto page = repository.store->list_uploads(repository.prefix, continuation);
    if (!page) return std::move(page).error();
    for (auto& upload : page->uploads) {
      if (!upload.key.starts_with(repository.prefix)) continue;
      upload.key.erase(0, repository.prefix.size());
      if (!is_nested(upload.key)) uploads.push_back(std::move(upload));
    }
    if (uploads.size() > k_max_pending_uploads)
      return Error{ErrorKind::invalid,
                   repository.name + ": more than " + std::to_string(k_max_pending_uploads) +
                       " uploads have not ended; let a lifecycle rule of the bucket remove them",
                   {}};
    continuation = std::move(page->next);
  } while (!continuation.empty());
  return uploads;
}

bool is_abandoned(const PendingUpload& upload, SystemTime now) {
  return now - upload.begun > k_abandoned_after;
}

Result<void> drop_pending_upload(const Repository& repository, const PendingUpload& upload) {
  PendingUpload stored = upload;
  stored.key.insert(0, repository.prefix);
  return repository.store->drop_upload(stored);
}

}  // namespace repoupdate
