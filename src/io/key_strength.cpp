// SPDX-License-Identifier: Apache-2.0
#include "io/key_strength.hpp"

#include <algorithm>
#include <array>

namespace repoupdate {

std::string weakness_of_key(std::string_view algorithm, unsigned bits) {
  // FIPS 186-5 has dropped DSA, and the crypto policies of EL 9 and Fedora refuse it.
  if (algorithm == "DSA") return "is a DSA key, which clients refuse";
  if (algorithm.starts_with("RSA") && bits < k_least_rsa_bits)
    return "has " + std::to_string(bits) + " bits, at least " + std::to_string(k_least_rsa_bits) +
           " are needed for RSA";
  return {};
}

std::string weakness_of_digest(std::string_view digest) {
  constexpr std::array<std::string_view, 4> k_strong{"SHA256", "SHA384", "SHA512", "SHA224"};
  if (std::ranges::find(k_strong, digest) != k_strong.end()) return {};
  return "uses the digest " + std::string(digest) + ", which is too weak: SHA-256 or longer is needed";
}

}  // namespace repoupdate
