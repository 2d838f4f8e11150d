// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/gpg_engine.hpp"
#include "io/gpg_home.hpp"
#include "model/signer.hpp"

namespace repoupdate {

// The public keys that signatures of a repository are checked with, in a GNUPGHOME of their own: what the user's keyring
// holds, and whom it trusts, does not matter. Thread-safe.
class PublicKeyRing {
public:
  // `armored` is one key or several, as they are published. `fingerprints` are those that have to sign: without any, all
  // of them. invalid: one is missing, revoked or too weak, and why; or there is a secret key among them. One that has
  // expired is let in: only check() and check_keys() find fault with it.
  static Result<std::unique_ptr<PublicKeyRing>> open(std::string armored, std::vector<std::string> fingerprints,
                                                     Duration deadline);

  // As Signer::check().
  Result<void> check(std::string_view bytes, std::string_view signature) const;
  // As Signer::next_expiry().
  std::optional<KeyExpiry> next_expiry() const;
  enum class Expired { allowed, refused };
  // The keys again, by today's date: invalid with the reason.
  Result<void> check_keys(Expired expired = Expired::refused) const;

  const std::string& armored() const { return m_armored; }
  const std::vector<std::string>& signers() const { return m_signers; }  // of the keys themselves, never of subkeys

private:
  PublicKeyRing(std::unique_ptr<GpgHome> home, std::string armored, Duration deadline)
      : m_home(std::move(home)), m_engine(m_home->path(), deadline), m_armored(std::move(armored)) {}
  Result<void> choose(const std::vector<std::string>& fingerprints);

  const std::unique_ptr<GpgHome> m_home;
  const GpgEngine m_engine;
  const std::string m_armored;
  std::vector<GpgKey> m_keys;  // as they were found at the start
  std::vector<std::string> m_signers;
};

// Fingerprints as people write them: 40 hex digits, or 64, in either case, with spaces or a leading 0x; several are
// separated by commas. What comes out is upper-case. invalid: a key id, or no hex.
Result<std::vector<std::string>> parse_fingerprints(std::string_view text);

}  // namespace repoupdate
