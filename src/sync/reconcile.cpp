// SPDX-License-Identifier: Apache-2.0
#include "sync/reconcile.hpp"

#include "sync/package_key.hpp"
#include "sync/quarantine.hpp"
#include "sync/signature.hpp"

namespace repoupdate {
namespace {

// "...-12": of 12 parts.
bool is_of_parts(const ETag& etag) {
  const std::string_view text = bare(etag);
  const auto dash = text.rfind('-');
  return dash != std::string_view::npos && dash + 1 < text.size() &&
         text.find_first_not_of("0123456789", dash + 1) == std::string_view::npos;
}

bool is_known(const KnownObjects& known, const ObjectInfo& object, const IndexEntry& entry) {
  const auto found = known.find(object.key);
  return found != known.end() && bare(found->second.etag) == bare(object.etag) && found->second.pkgid == entry.pkgid;
}

}  // namespace

Result<PackageObjects> list_package_objects(const Repository& repository) {
  PackageObjects found;
  std::string continuation;
  do {
    auto page = repository.store->list(repository.prefix, continuation);
    if (!page) return std::move(page.error()).within("listing " + repository.name);
    repository.progress();
    for (auto& object : page->objects) {
      object.key.erase(0, repository.prefix.size());
      if (object.key == k_signature_key) found.signature = object.etag;
      if (object.key == k_quarantine_key) found.quarantine = object;
      if (repository.owns(object.key)) found.packages.push_back(std::move(object));
    }
    continuation = std::move(page->next);
  } while (!continuation.empty());
  return found;
}

std::set<std::string> find_differences(const Repository& repository, const std::vector<ObjectInfo>& objects,
                                       const ListedEntries& listed, SystemTime pointer_modified, Suspicion suspicion,
                                       const KnownObjects& known) {
  std::set<std::string> different;
  std::set<std::string_view> present;
  for (const auto& object : objects) {
    present.insert(object.key);
    const IndexEntry* entry = listed.find(object.key);
    if (!entry || entry->size != object.size) {
      different.insert(object.key);
      continue;
    }
    // Only whole seconds are told: what is as new as the metadata may have come after them.
    const bool is_newer = object.last_modified >= pointer_modified;
    const bool times_differ = object.last_modified.time_since_epoch().count() != entry->time_file;
    const bool times_count = suspicion == Suspicion::reread || repository.times_are_of_files;
    const bool may_have_ended_later = object.last_modified >= pointer_modified - k_longest_upload && times_differ &&
                                      is_of_parts(object.etag) && !is_known(known, object, *entry);
    if (is_newer || (times_differ && times_count) || may_have_ended_later) different.insert(object.key);
  }
  for (const auto& [position, entry] : listed.packages()) {
    const auto key = key_of_href(entry.location_href);
    if (entry.location_base.empty() && repository.owns(key) && !present.contains(key)) different.emplace(key);
  }
  return different;
}

KnownObjects known_after(KnownObjects known, const std::vector<ObjectInfo>& objects, const ListedEntries& listed,
                         const std::vector<Finding>& findings) {
  KnownObjects after;
  for (const auto& object : objects)
    if (auto found = known.extract(object.key); found && bare(found.mapped().etag) == bare(object.etag))
      after.insert(std::move(found));
  for (const auto& finding : findings) {
    const IndexEntry* entry = listed.find(finding.href);
    if (entry && std::holds_alternative<Unchanged>(finding.what) && is_of_parts(finding.etag))
      after.insert_or_assign(finding.href, KnownObject{finding.etag, entry->pkgid});
  }
  return after;
}

}  // namespace repoupdate
