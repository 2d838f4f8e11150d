// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/gpg_engine.hpp"
#include "io/gpg_home.hpp"
#include "io/public_key_ring.hpp"
#include "model/signer.hpp"

namespace repoupdate {

struct GpgSignerOptions {
  std::vector<std::string> fingerprints;  // who signs; empty: every key of `secret_keys`
  std::string secret_keys;                // imported into a GNUPGHOME of our own; empty: they are in `home`
  std::string home;                       // GNUPGHOME; empty: the user's
  std::optional<std::string> passphrase;  // of all keys; none: the agent knows it, or there is none
  std::string public_keys;                // armored, to publish and to check with; empty: those of the signing keys
  Duration deadline{std::chrono::seconds(30)};
};

// Signs with GnuPG. Thread-safe.
class GpgSigner final : public Signer {
public:
  // invalid: a key is not there, or may not be used, and why.
  static Result<std::unique_ptr<Signer>> open(GpgSignerOptions options);

  Result<std::string> sign(std::string_view bytes, std::stop_token stop) override;
  Result<void> check(std::string_view bytes, std::string_view signature) override {
    return m_ring->check(bytes, signature);
  }
  const std::string& public_keys() const override { return m_ring->armored(); }
  std::optional<KeyExpiry> next_expiry() const override { return m_ring->next_expiry(); }

private:
  GpgSigner(std::unique_ptr<GpgHome> home, GpgEngine engine, std::optional<std::string> passphrase,
            std::unique_ptr<PublicKeyRing> ring)
      : m_home(std::move(home)),
        m_engine(std::move(engine)),
        m_passphrase(std::move(passphrase)),
        m_ring(std::move(ring)) {}

  const std::unique_ptr<GpgHome> m_home;  // of imported keys; else null
  const GpgEngine m_engine;
  const std::optional<std::string> m_passphrase;
  const std::unique_ptr<PublicKeyRing> m_ring;
};

}  // namespace repoupdate
