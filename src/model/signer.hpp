// SPDX-License-Identifier: Apache-2.0
// The door to who signs repomd.xml: GnuPG, or a program that has the key in its keeping.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace repoupdate {

// A key that serves until then, and nothing can be signed without it.
struct KeyExpiry {
  std::string key;  // its fingerprint
  SystemTime at;
};

// Every call may be made from several threads at once, and ends within the implementation's deadline.
class Signer {
public:
  virtual ~Signer() = default;

  // An armored detached signature by each of the keys, which check() has found good. The Error says why not: a key that
  // is expired, revoked or too weak, a wrong passphrase, a program that failed. No message holds a secret.
  virtual Result<std::string> sign(std::string_view bytes, std::stop_token stop) = 0;

  // Not when it only has public keys to check with.
  virtual bool can_sign() const { return true; }

  // corrupt when `signature` is not a good signature of these bytes by each of the keys, with the reason; signatures by
  // other keys beside those do not matter. Any other Error: that could not be told.
  virtual Result<void> check(std::string_view bytes, std::string_view signature) = 0;

  // What clients import to check with: the armored public keys. Not empty, and the same for as long as the signer lives.
  virtual const std::string& public_keys() const = 0;

  // The first that happens to one of the keys, as the public ones were when the signer was made; nothing: they serve for
  // ever. A key with several parts that sign lasts as long as the last of them, whoever has their secrets.
  virtual std::optional<KeyExpiry> next_expiry() const = 0;
};

}  // namespace repoupdate
