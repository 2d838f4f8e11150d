// SPDX-License-Identifier: Apache-2.0
// Message digests (FIPS 180-4; MD5 only because S3 asks for Content-MD5) and their text forms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace repoupdate {

// The digests that createrepo_c writes into `type="..."`; there "sha" means SHA-1.
enum class HashType { md5, sha1, sha224, sha256, sha384, sha512 };

std::string_view to_string(HashType type);                       // "sha256"
std::optional<HashType> parse_hash_type(std::string_view text);  // knows "sha" too

// The digest that has this many hex digits; nothing when there is none.
std::optional<HashType> hash_type_of_length(std::size_t hex_digits);

// A digest over bytes that arrive in pieces. Not copyable; one thread at a time.
class Hasher {
public:
  explicit Hasher(HashType type);
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::string_view bytes);
  // The raw digest (32 bytes for SHA-256). The hasher must not be used afterwards.
  std::string finish();
  std::string finish_hex();

private:
  struct State;
  std::unique_ptr<State> m_state;
};

std::string hash_hex(HashType type, std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
std::string hmac_sha256(std::string_view key, std::string_view bytes);  // raw 32 bytes

// Whether two secrets are the same. How long it takes does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

std::string to_hex(std::string_view raw);  // lower case
std::optional<std::string> from_hex(std::string_view hex);
std::string to_base64(std::string_view raw);
std::optional<std::string> from_base64(std::string_view text);

}  // namespace repoupdate
