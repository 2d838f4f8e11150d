// SPDX-License-Identifier: Apache-2.0
// repomd.xml and its detached signature are two objects, which no store replaces together. So the signature is made
// before repomd.xml is written, put right after it, and then it is looked whether repomd.xml is still ours: whoever
// puts a signature last has seen that it fits. docs/decisions/0020 says what that leaves open.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/object.hpp"
#include "sync/repository.hpp"

namespace repoupdate {

inline constexpr std::string_view k_signature_key = "repodata/repomd.xml.asc";    // relative to the repository root
inline constexpr std::string_view k_public_keys_key = "repodata/repomd.xml.key";  // what clients import
inline constexpr std::uint64_t k_max_signature_size = 64 << 10;                   // bytes
inline constexpr std::uint64_t k_max_public_keys_size = 1 << 20;

// The signature of a repomd.xml that is to be put. repository.signer must not be null.
Result<std::string> sign_pointer(const Repository& repository, std::string_view repomd, std::stop_token stop);

// Without a signer: that no signature is there, which would be left stale (invalid).
Result<void> check_unsigned(const Repository& repository);

// What has to be in place before repomd.xml is written, at the cost of a request or two once in a process: with a
// signer its public keys; without one check_unsigned().
Result<void> prepare_signature(const Repository& repository, const std::optional<ETag>& base);

// Right after repomd.xml was written as `pointer`: puts its signature, and looks whether the pointer is still that one.
// While others publish meanwhile, what is there by then is signed, a few times. After any failure the next update puts
// it right. Without a signer nothing is put.
Result<void> finish_pair(const Repository& repository, const ETag& pointer, const std::string& signature);

// For an update that publishes nothing: whether repomd.xml and its signature agree, looked at once for each repomd.xml
// in a process; if not, it is signed anew, and true is returned. `pointer` is repomd.xml's ETag. Does nothing without
// a signer.
Result<bool> repair_signature(const Repository& repository, const ETag& pointer, std::stop_token stop);

// What a listing that is at hand anyway says of the signature: nothing when it is not there.
void note_listed_signature(const Repository& repository, const std::optional<ETag>& pointer,
                           const std::optional<ETag>& signature);

}  // namespace repoupdate
