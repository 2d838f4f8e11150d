// SPDX-License-Identifier: Apache-2.0
// What is too weak to sign a repository with. Pure.
#pragma once

#include <string>
#include <string_view>

namespace repoupdate {

inline constexpr unsigned k_least_rsa_bits = 2048;

// Why a key of this algorithm ("RSA", "DSA", "ECDSA", "EdDSA", ...) and length is refused; empty when it is not.
std::string weakness_of_key(std::string_view algorithm, unsigned bits);

// The same for the digest of a signature ("SHA1", "SHA256", ...).
std::string weakness_of_digest(std::string_view digest);

}  // namespace repoupdate
