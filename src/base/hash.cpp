// SPDX-License-Identifier: Apache-2.0
#include "base/hash.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <vector>

namespace repoupdate {
namespace {

struct HashName {
  HashType type;
  std::string_view name;
};
constexpr std::array<HashName, 6> k_names{{{HashType::md5, "md5"},
                                           {HashType::sha1, "sha1"},
                                           {HashType::sha224, "sha224"},
                                           {HashType::sha256, "sha256"},
                                           {HashType::sha384, "sha384"},
                                           {HashType::sha512, "sha512"}}};

// Looked up once: EVP_sha256() and its like make OpenSSL search its providers for each digest (ossl-guide-libcrypto(7),
// "Performance"). They are never freed, as OpenSSL may be gone before the last static is.
const EVP_MD* algorithm(HashType type) {
  static const auto fetched = [] {
    std::array<const EVP_MD*, k_names.size()> algorithms{};
    for (const auto& [each, name] : k_names)
      algorithms[static_cast<std::size_t>(each)] = EVP_MD_fetch(nullptr, std::string(name).c_str(), nullptr);
    return algorithms;
  }();
  return fetched[static_cast<std::size_t>(type)];
}

// An HMAC with SHA-256 that lacks its key, to be copied; null when OpenSSL has none.
const EVP_MAC_CTX* keyless_hmac_sha256() {
  static EVP_MAC_CTX* const context = [] {
    EVP_MAC* const hmac = EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr);
    if (hmac == nullptr) return static_cast<EVP_MAC_CTX*>(nullptr);
    EVP_MAC_CTX* const made = EVP_MAC_CTX_new(hmac);
    EVP_MAC_free(hmac);
    if (made == nullptr) return made;
    std::string digest = "sha256";
    const std::array parameters{OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0),
                                OSSL_PARAM_construct_end()};
    EVP_MAC_CTX_set_params(made, parameters.data());
    return made;
  }();
  return context;
}

struct FreeMac {
  void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string_view to_string(HashType type) {
  for (const auto& entry : k_names)
    if (entry.type == type) return entry.name;
  return "sha256";
}

std::optional<HashType> parse_hash_type(std::string_view text) {
  if (text == "sha") return HashType::sha1;
  for (const auto& entry : k_names)
    if (entry.name == text) return entry.type;
  return std::nullopt;
}

std::optional<HashType> hash_type_of_length(std::size_t hex_digits) {
  for (const auto& entry : k_names)
    if (static_cast<std::size_t>(EVP_MD_get_size(algorithm(entry.type))) * 2 == hex_digits) return entry.type;
  return std::nullopt;
}

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher(HashType type) : m_state(std::make_unique<State>()) {
  EVP_DigestInit_ex(m_state->context, algorithm(type), nullptr);
}
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::string_view bytes) {
  EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size());
}

std::string Hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int length = 0;
  EVP_DigestFinal_ex(m_state->context, digest.data(), &length);
  return {reinterpret_cast<const char*>(digest.data()), length};
}

std::string Hasher::finish_hex() {
  return to_hex(finish());
}

std::string hash_hex(HashType type, std::string_view bytes) {
  Hasher hasher(type);
  hasher.update(bytes);
  return hasher.finish_hex();
}

std::string sha256_hex(std::string_view bytes) {
  return hash_hex(HashType::sha256, bytes);
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  const EVP_MAC_CTX* const keyless = keyless_hmac_sha256();
  const std::unique_ptr<EVP_MAC_CTX, FreeMac> context(keyless ? EVP_MAC_CTX_dup(keyless) : nullptr);
  if (!context) return {};
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  std::size_t length = 0;
  if (key.empty()) key = "";  // a null pointer would mean a key that is set already
  EVP_MAC_init(context.get(), bytes_of(key), key.size(), nullptr);
  EVP_MAC_update(context.get(), bytes_of(bytes), bytes.size());
  EVP_MAC_final(context.get(), digest.data(), &length, digest.size());
  return {reinterpret_cast<const char*>(digest.data()), length};
}

// By their digests, which have the same length whatever the secrets'.
bool same_secret(std::string_view a, std::string_view b) {
  Hasher first(HashType::sha256), second(HashType::sha256);
  first.update(a);
  second.update(b);
  const std::string left = first.finish(), right = second.finish();
  return CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string to_hex(std::string_view raw) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  hex.reserve(raw.size() * 2);
  for (unsigned char byte : raw) {
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

std::optional<std::string> from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string raw;
  raw.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_digit(hex[i]), low = hex_digit(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    raw += static_cast<char>(high << 4 | low);
  }
  return raw;
}

std::string to_base64(std::string_view raw) {
  std::string text((raw.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(raw), static_cast<int>(raw.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string raw(text.size() / 4 * 3 + 1, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()), bytes_of(text), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  raw.resize(static_cast<std::size_t>(length) - padding);
  return raw;
}

}  // namespace repoupdate
