// SPDX-License-Identifier: Apache-2.0
#include "sync/signature.hpp"

#include <utility>

#include "base/parallel.hpp"
#include "repodata/repomd.hpp"

namespace repoupdate {
namespace {

// While others keep publishing. Each of them signs too, so that giving up costs nothing but the proof.
constexpr int k_max_rounds = 8;

constexpr std::string_view k_cache_never = "no-cache";

Result<ETag> put_small(const Repository& repository, std::string_view key, const std::string& bytes,
                       std::string_view content_type) {
  PutOptions options;
  options.content_type = content_type;
  options.cache_control = k_cache_never;
  auto put = repository.store->put(repository.prefix + std::string(key), bytes, options);
  if (!put) return std::move(put).error();
  return put->etag;
}

void keep_pair(const Repository& repository, RememberedPair pair) {
  if (repository.memory) repository.memory->keep_pair(repository.name, std::move(pair));
}

std::optional<RememberedPair> remembered_pair(const Repository& repository) {
  return repository.memory ? repository.memory->find_pair(repository.name) : std::nullopt;
}

Error signed_by_others(const Repository& repository) {
  return {ErrorKind::invalid,
          repository.name + ": " + std::string(k_signature_key) +
              " is there, and no key is configured to sign with: the signature would be left stale, and clients would "
              "refuse the repository. Set sign_key, sign_key_file or sign_command; or remove " +
              std::string(k_signature_key) + " to publish without a signature",
          {}};
}

Result<void> publish_public_keys(const Repository& repository) {
  const std::string& keys = repository.signer->public_keys();
  const auto there =
      repository.store->get(repository.prefix + std::string(k_public_keys_key), {}, k_max_public_keys_size);
  if (there && there->bytes == keys) return {};
  // One that is too large is not ours either.
  if (!there && !there.failed_with(ErrorKind::not_found) && !there.failed_with(ErrorKind::invalid))
    return there.error();
  auto put = put_small(repository, k_public_keys_key, keys, "application/pgp-keys");
  if (!put) return std::move(put).error();
  return {};
}

// Not before it was looked at: what clients could not read is not given our name.
Result<std::string> sign_what_is_there(const Repository& repository, const std::string& repomd, std::stop_token stop) {
  const auto parsed = parse_repomd(repomd);
  if (!parsed) return Error(parsed.error()).within(repository.name + '/' + std::string(k_repomd_key) + " not signed");
  return sign_pointer(repository, repomd, std::move(stop));
}

// Those of the signature's own objects say nothing about the pointer.
Error as_failed_signature(const Repository& repository, Error error) {
  if (error.kind == ErrorKind::precondition_failed) error.kind = ErrorKind::conflict;
  return std::move(error).within(repository.name +
                                 ": repomd.xml is published, its signature not yet; the next update "
                                 "puts it");
}

Result<void> put_signature(const Repository& repository, const ETag& pointer, const std::string& signature) {
  ETag signed_pointer = pointer;
  std::string mine = signature;
  for (int round = 1;; ++round) {
    auto put = put_small(repository, k_signature_key, mine, "application/pgp-signature");
    if (!put) return as_failed_signature(repository, std::move(put).error());
    const auto now = repository.store->get(repository.prefix + std::string(k_repomd_key),
                                           {.if_none_match = signed_pointer}, k_max_repomd_size);
    const bool is_same = now ? now->info.etag == signed_pointer : now.failed_with(ErrorKind::precondition_failed);
    if (is_same) {
      keep_pair(repository, {std::move(signed_pointer), *std::move(put)});
      return {};
    }
    if (!now) return as_failed_signature(repository, now.error());
    if (round == k_max_rounds)
      return as_failed_signature(
          repository, {ErrorKind::conflict, "others published " + std::to_string(round) + " times meanwhile", {}});
    auto anew = sign_what_is_there(repository, now->bytes, {});
    if (!anew) return as_failed_signature(repository, std::move(anew).error());
    mine = *std::move(anew);
    signed_pointer = now->info.etag;
  }
}

}  // namespace

Result<void> check_unsigned(const Repository& repository) {
  const auto there = repository.store->head(repository.prefix + std::string(k_signature_key));
  if (there) return signed_by_others(repository);
  if (there.failed_with(ErrorKind::not_found)) return {};
  return Error(there.error()).within("whether the repository is signed");
}

Result<std::string> sign_pointer(const Repository& repository, std::string_view repomd, std::stop_token stop) {
  auto signature = repository.signer->sign(repomd, std::move(stop));
  if (!signature) return std::move(signature.error()).within(repository.name + ": repomd.xml cannot be signed");
  return signature;
}

Result<void> prepare_signature(const Repository& repository, const std::optional<ETag>& base) {
  const auto known = remembered_pair(repository);
  if (repository.signer) return known ? Result<void>{} : publish_public_keys(repository);
  return known && base && known->pointer == *base ? Result<void>{} : check_unsigned(repository);
}

Result<void> finish_pair(const Repository& repository, const ETag& pointer, const std::string& signature) {
  if (repository.signer) return put_signature(repository, pointer, signature);
  keep_pair(repository, {pointer, {}});
  return {};
}

Result<bool> repair_signature(const Repository& repository, const ETag& pointer, std::stop_token stop) {
  if (!repository.signer) return false;
  const auto known = remembered_pair(repository);
  if (known && known->pointer == pointer) return false;
  Result<Object> repomd = Object{}, signature = Object{};
  Result<void> keys;
  for_each_parallel(known ? 2 : 3, 3, [&](std::size_t task) {
    const std::string& prefix = repository.prefix;
    if (task == 0) repomd = repository.store->get(prefix + std::string(k_repomd_key), {}, k_max_repomd_size);
    if (task == 1) signature = repository.store->get(prefix + std::string(k_signature_key), {}, k_max_signature_size);
    if (task == 2) keys = publish_public_keys(repository);
  });
  if (!repomd) return std::move(repomd).error();
  if (!keys) return std::move(keys).error();
  const bool is_unsigned = signature.failed_with(ErrorKind::not_found) || signature.failed_with(ErrorKind::invalid);
  if (!signature && !is_unsigned) return std::move(signature).error();
  if (signature) {
    const auto good = repository.signer->check(repomd->bytes, signature->bytes);
    if (good) {
      keep_pair(repository, {repomd->info.etag, signature->info.etag});
      return false;
    }
    if (!good.failed_with(ErrorKind::corrupt)) return Error(good.error()).within(repository.name);
  }
  const auto anew = sign_what_is_there(repository, repomd->bytes, std::move(stop));
  if (!anew) return anew.error();
  if (auto put = put_signature(repository, repomd->info.etag, *anew); !put) return std::move(put).error();
  return true;
}

void note_listed_signature(const Repository& repository, const std::optional<ETag>& pointer,
                           const std::optional<ETag>& signature) {
  if (!repository.memory) return;
  const auto known = repository.memory->find_pair(repository.name);
  if (!known && !repository.signer && !signature && pointer) keep_pair(repository, {*pointer, {}});
  if (known && known->signature != signature) repository.memory->forget_pair(repository.name);
}

}  // namespace repoupdate
