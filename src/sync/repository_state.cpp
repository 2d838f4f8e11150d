// SPDX-License-Identifier: Apache-2.0
#include "sync/repository_state.hpp"

#include <array>

#include "base/parallel.hpp"

namespace repoupdate {
namespace {

// Somebody may publish, and other tools delete what was superseded at once, between our two reads.
constexpr int k_max_rereads = 5;

std::string describe(const Repository& repository, std::string_view href) {
  return repository.name + '/' + std::string(href);
}

Result<std::string> load_file(const Repository& repository, const Repomd& repomd, MetadataKind kind) {
  const RepomdRecord* record = repomd.find(info(kind).name);
  if (!record) return Error{ErrorKind::corrupt, "repomd.xml has no " + std::string(info(kind).name) + " record", {}};
  auto object = repository.store->get(repository.prefix + record->location_href, {}, k_max_stored_metadata_size);
  if (!object) return std::move(object).error();
  return std::move(object->bytes);
}

Result<std::optional<Object>> fetch_pointer(const Repository& repository) {
  auto object = repository.store->get(repository.prefix + std::string(k_repomd_key), {}, k_max_repomd_size);
  if (object.failed_with(ErrorKind::not_found)) return std::optional<Object>{};
  if (!object) return std::move(object).error();
  return std::optional(std::move(*object));
}

// True when repomd.xml is another one than `etag` by now: what it named may be gone for good reason.
bool pointer_moved(const Repository& repository, const ETag& etag) {
  const auto now = repository.store->head(repository.prefix + std::string(k_repomd_key));
  return now && now->etag != etag;
}

Error missing_file(Error error) {
  error.kind = ErrorKind::corrupt;
  error.message += "; repomd.xml names it. Run `repoupdate update --rebuild` to make the metadata anew";
  return error;
}

}  // namespace

Result<RepositoryState> load_state(const Repository& repository) {
  for (int attempt = 1;; ++attempt) {
    auto object = fetch_pointer(repository);
    if (!object) return std::move(object).error();
    RepositoryState state;
    if (!*object) return state;
    state.pointer = (*object)->info.etag;
    state.pointer_modified = (*object)->info.last_modified;

    auto repomd = parse_repomd((*object)->bytes);
    if (!repomd) return std::move(repomd.error()).within(describe(repository, k_repomd_key));
    auto primary = load_file(repository, *repomd, MetadataKind::primary);
    if (primary.failed_with(ErrorKind::not_found)) {
      if (attempt < k_max_rereads && pointer_moved(repository, *state.pointer)) continue;
      return missing_file(std::move(primary).error());
    }
    if (!primary) return std::move(primary).error();
    auto index = read_index(std::move(*repomd), *primary);
    if (!index) return std::move(index.error()).within(repository.name);
    state.index = std::move(*index);
    state.stored[MetadataKind::primary] = std::move(*primary);
    return state;
  }
}

Result<RepositoryState> load_pointer_only(const Repository& repository) {
  auto object = fetch_pointer(repository);
  if (!object) return std::move(object).error();
  RepositoryState state;
  if (!*object) return state;
  state.pointer = (*object)->info.etag;
  state.pointer_modified = (*object)->info.last_modified;
  if (auto repomd = parse_repomd((*object)->bytes)) state.index.repomd = std::move(*repomd);
  return state;
}

Result<void> load_files(const Repository& repository, RepositoryState& state) {
  constexpr std::array k_rest{MetadataKind::filelists, MetadataKind::other};
  std::array<Result<std::string>, k_rest.size()> files{std::string{}, std::string{}};
  for_each_parallel(k_rest.size(), repository.policy.requests,
                    [&](std::size_t i) { files[i] = load_file(repository, state.index.repomd, k_rest[i]); });
  for (std::size_t i = 0; i < k_rest.size(); ++i) {
    if (files[i].failed_with(ErrorKind::not_found)) {
      if (pointer_moved(repository, *state.pointer))
        return Error{ErrorKind::precondition_failed, repository.name + ": somebody else published meanwhile", {}};
      return missing_file(std::move(files[i]).error());
    }
    if (!files[i]) return std::move(files[i]).error();
    state.stored[k_rest[i]] = std::move(*files[i]);
  }
  return {};
}

Error no_repository(const Repository& repository) {
  return {
      ErrorKind::not_found,
      repository.name + ": there is no repository (no " + std::string(k_repomd_key) + "); `repoupdate init` makes one",
      {}};
}

}  // namespace repoupdate
