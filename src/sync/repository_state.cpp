// SPDX-License-Identifier: Apache-2.0
#include "sync/repository_state.hpp"

#include <algorithm>
#include <utility>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "model/location_href.hpp"
#include "repodata/empty_repository.hpp"
#include "repodata/index_reader.hpp"
#include "repodata/primary_listing.hpp"
#include "repodata/take_over.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// Somebody may publish, and other tools delete what was superseded at once, between our two reads.
constexpr int k_max_rereads = 5;

// A file up to this size is fetched whole: one request, where looking into it would be three or four.
constexpr std::uint64_t k_small_file = 8ULL << 20;
// When all of it will be wanted.
constexpr std::uint64_t k_edited_file = 64ULL << 20;

// More names than this may stand in so many frames that one may as well read all of them.
constexpr std::size_t k_few_names = 16;

Error missing_file(Error error) {
  error.kind = ErrorKind::corrupt;
  error.message += "; repomd.xml names it. Run `repoupdate update --rebuild` to make the metadata anew";
  return error;
}

// repomd.xml as it is now, without looking into it. precondition_failed when it still is `known`.
Result<std::optional<Object>> fetch_pointer(const Repository& repository, RepositoryState& state,
                                            const std::optional<ETag>& known = {}) {
  auto object =
      repository.store->get(repository.prefix + std::string(k_repomd_key), {.if_none_match = known}, k_max_repomd_size);
  if (object.failed_with(ErrorKind::not_found)) return std::optional<Object>();
  if (!object) return std::move(object).error();
  state.pointer = object->info.etag;
  state.pointer_modified = object->info.last_modified;
  state.pointer_sha256 = sha256_hex(object->bytes);
  return std::optional(std::move(*object));
}

// True when repomd.xml is another one than the state's by now: what it named may be gone for good reason.
bool pointer_moved(const Repository& repository, const RepositoryState& state) {
  const auto now = repository.store->head(repository.prefix + std::string(k_repomd_key));
  return now && now->etag != *state.pointer;
}

// In parallel; the first failure in the order of the kinds.
template <typename Work>
Result<void> for_each_kind(const Repository& repository, Work work) {
  return try_each_parallel(k_metadata_kinds.size(), repository.policy.requests,
                           [&](std::size_t i) { return work(k_metadata_kinds[i].kind); });
}

// In one request, past memory.
Result<SharedBytes> fetch_whole(const Repository& repository, const std::string& key, std::uint64_t size) {
  auto copy = repository.scratch->create();
  if (!copy) return std::move(copy).error();
  const auto append = [&](std::string_view piece) -> Result<void> {
    if (piece.size() > size - (*copy)->size())
      return Error{ErrorKind::corrupt, key + ": larger than repomd.xml says", {}};
    return (*copy)->append(piece);
  };
  if (const auto read = repository.store->read(key, {}, append); !read) return read.error();
  return SharedBytes(*std::move(copy));
}

Result<SharedBytes> open_object(const Repository& repository, const RepomdRecord& record, std::uint64_t whole_up_to) {
  const std::string key = repository.prefix + record.location_href;
  if (repository.store->is_local() || !record.size || *record.size > whole_up_to) return repository.store->open(key);
  auto whole = fetch_whole(repository, key, *record.size);
  if (whole.failed_with(ErrorKind::corrupt)) return repository.store->open(key);  // repomd.xml lied about the size
  return whole;
}

Result<void> open_file(const Repository& repository, RepositoryState& state, MetadataKind kind,
                       std::uint64_t whole_up_to = k_small_file) {
  if (state.stored[kind]) return {};
  const RepomdRecord* record = state.repomd.find(kind);
  if (!record) return Error{ErrorKind::corrupt, "repomd.xml has no " + std::string(info(kind).name) + " record", {}};
  auto opened = open_object(repository, *record, whole_up_to);
  if (!opened) return std::move(opened).error();
  if ((*opened)->size() > k_max_stored_metadata_size)
    return Error{ErrorKind::unsupported,
                 repository.name + '/' + record->location_href + " is larger than " +
                     std::to_string(k_max_stored_metadata_size) + " bytes",
                 {}};
  state.stored[kind] = *std::move(opened);
  return {};
}

// Primary, and the others where that costs one request each.
Result<void> open_for_edit(const Repository& repository, RepositoryState& state) {
  return for_each_kind(repository, [&](MetadataKind kind) -> Result<void> {
    const RepomdRecord* record = state.repomd.find(kind);
    const bool is_one_request =
        !repository.store->is_local() && record && record->size && *record->size <= k_edited_file;
    if (kind != MetadataKind::primary && !is_one_request) return {};
    return open_file(repository, state, kind, k_edited_file);
  });
}

Result<void> make_file_local(const Repository& repository, RepositoryState& state, MetadataKind kind) {
  if (auto opened = open_file(repository, state, kind); !opened) return opened;
  auto local = make_local(state.stored[kind], *repository.scratch);
  if (!local) return std::move(local.error()).within(repository.name + '/' + state.repomd.find(kind)->location_href);
  state.stored[kind] = *std::move(local);
  return {};
}

// What only primary's segment table tells.
Result<void> read_table(const Repository& repository, RepositoryState& state) {
  const TakeOver primary{MetadataKind::primary, state.stored[MetadataKind::primary], repository.policy.compression, 1};
  auto file = open_segments(state.repomd, primary);
  if (!file) return std::move(file).error();
  if (!*file) return {};
  state.index.emplace();
  state.index->repomd = state.repomd;
  state.index->files[MetadataKind::primary] = **std::move(file);
  return {};
}

// From primary's stored bytes, of whatever origin they are.
Result<std::vector<ListedPackage>> read_listing(const Repository& repository, RepositoryState& state,
                                                const std::set<std::string>* names) {
  if (auto local = make_file_local(repository, state, MetadataKind::primary); !local) return std::move(local).error();
  auto listing = read_primary(state.repomd, state.stored[MetadataKind::primary], names);
  if (!listing) return std::move(listing.error()).within(repository.name);
  state.counted = listing->total;
  return std::move(listing->packages);
}

bool has_all(const std::vector<ListedPackage>& found, const std::set<std::string>& names) {
  std::set<std::string_view> missing(names.begin(), names.end());
  for (const auto& package : found) missing.erase(basename_of(package.entry.location_href));
  return missing.empty();
}

}  // namespace

std::optional<RepositoryState> remembered_state(const Repository& repository) {
  auto remembered = repository.memory ? repository.memory->find(repository.name) : std::nullopt;
  if (!remembered) return std::nullopt;
  RepositoryState state;
  state.repomd = remembered->index.repomd;
  state.pointer = std::move(remembered->pointer);
  state.pointer_sha256 = std::move(remembered->repomd_sha256);
  state.index = std::move(remembered->index);
  return state;
}

Result<RepositoryState> load_state(const Repository& repository) {
  return load_state(repository, {.remembered = remembered_state(repository)});
}

Result<RepositoryState> load_state(const Repository& repository, Loading loading) {
  std::optional<ETag> known;
  if (loading.remembered && !loading.is_poll) known = loading.remembered->pointer;
  for (int attempt = 1;; ++attempt) {
    RepositoryState state;
    const auto object = fetch_pointer(repository, state, known);
    if (known && object.failed_with(ErrorKind::precondition_failed)) {
      loading.remembered->is_as_remembered = true;
      return *std::move(loading.remembered);
    }
    if (!object) return object.error();
    if (!*object) {
      state.index = empty_repository({}, repository.policy.compression);
      return state;
    }
    if (loading.remembered && loading.remembered->pointer_sha256 == state.pointer_sha256) {
      state.is_as_remembered = loading.remembered->pointer == state.pointer;
      state.index = std::move(loading.remembered->index);
      state.repomd = state.index->repomd;
      return state;
    }
    auto repomd = parse_repomd((*object)->bytes);
    if (!repomd) return damaged_pointer(repository, std::move(repomd).error());
    state.repomd = *std::move(repomd);
    auto opened =
        loading.will_edit ? open_for_edit(repository, state) : open_file(repository, state, MetadataKind::primary);
    if (opened.failed_with(ErrorKind::not_found)) {
      if (attempt < k_max_rereads && pointer_moved(repository, state)) continue;
      return missing_file(std::move(opened).error());
    }
    if (!opened) return std::move(opened).error();
    if (auto read = read_table(repository, state); !read) return std::move(read).error();
    return state;
  }
}

Result<RepositoryState> load_pointer_only(const Repository& repository) {
  RepositoryState state;
  const auto object = fetch_pointer(repository, state);
  if (!object) return object.error();
  if (*object)
    if (auto repomd = parse_repomd((*object)->bytes)) state.repomd = *std::move(repomd);
  state.index = empty_repository(state.repomd, repository.policy.compression);
  return state;
}

Result<std::vector<ListedPackage>> find_listed(const Repository& repository, RepositoryState& state,
                                               const NamesToFind& names) {
  std::set<std::string> all = names.expected;
  all.insert(names.possible.begin(), names.possible.end());
  if (!state.index) return read_listing(repository, state, &all);
  if (!state.proven() && names.expected.size() <= k_few_names) {
    auto found = find_packages(*state.index, all, repository.policy.threads);
    if (found && has_all(*found, names.expected)) return found;
  }
  if (auto proven = prove_state(repository, state); !proven) return std::move(proven).error();
  return find_packages(*state.index, all, repository.policy.threads);
}

Result<std::vector<ListedPackage>> list_all(const Repository& repository, RepositoryState& state) {
  if (state.proven()) return list_packages(*state.index, repository.policy.threads);
  return read_listing(repository, state, nullptr);
}

Result<void> prove_state(const Repository& repository, RepositoryState& state) {
  if (state.proven()) return {};
  auto local = for_each_kind(repository, [&](MetadataKind kind) { return make_file_local(repository, state, kind); });
  if (local.failed_with(ErrorKind::not_found)) {
    if (pointer_moved(repository, state))
      return Error{ErrorKind::precondition_failed, repository.name + ": somebody else published meanwhile", {}};
    return missing_file(std::move(local).error());
  }
  if (!local) return local;
  const IndexReading reading{.compression = repository.policy.compression, .threads = repository.policy.threads};
  auto index = read_index(state.repomd, state.stored, reading, *repository.scratch);
  if (!index) return std::move(index.error()).within(repository.name);
  if (repository.memory) repository.memory->keep(repository.name, {*state.pointer, state.pointer_sha256, *index});
  state.index = *std::move(index);
  return {};
}

void remember(const Repository& repository, const Publication& publication, ETag pointer, RepoIndex index) {
  if (!repository.memory) return;
  std::vector<char> kept(publication.immutable.size(), 0);
  for_each_parallel(kept.size(), repository.policy.requests, [&](std::size_t i) {
    SharedBytes& stored = index.files.values[i].stored;
    auto kept_bytes = repository.store->is_local()
                          ? repository.store->open(repository.prefix + publication.immutable[i].key)
                          : copy_to_scratch(*stored, *repository.scratch);
    kept[i] = kept_bytes.ok();
    if (kept_bytes) stored = *std::move(kept_bytes);
  });
  if (std::ranges::count(kept, 0) == 0)
    repository.memory->keep(repository.name, {std::move(pointer), publication.pointer.sha256, std::move(index)});
}

Error damaged_pointer(const Repository& repository, Error error) {
  if (error.kind == ErrorKind::corrupt)
    error.message += "; `repoupdate update --rebuild` makes the metadata anew from the packages";
  return std::move(error).within(repository.name + '/' + std::string(k_repomd_key));
}

Error no_repository(const Repository& repository) {
  return {ErrorKind::not_found,
          repository.name + ": there is no repository (no " + std::string(k_repomd_key) +
              "); `repoupdate init` makes an empty one, --create one of the packages that are there",
          {}};
}

}  // namespace repoupdate
