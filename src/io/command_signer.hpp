// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/public_key_ring.hpp"
#include "model/signer.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_command_output = 64 << 10;  // bytes of a signature

struct CommandSignerOptions {
  std::vector<std::string> command;       // program and arguments; empty: signatures can be checked only
  std::string public_keys;                // armored, to publish and to check with
  std::vector<std::string> fingerprints;  // which of them have to sign; empty: all
  Duration deadline{std::chrono::seconds(30)};
};

// Signs with a program that reads the bytes and writes an armored detached signature: for keys in a KMS, an HSM, or
// with a signing service. Its standard error is shown when it fails. Thread-safe.
class CommandSigner final : public Signer {
public:
  // invalid: a public key is missing or may not be used, and why.
  static Result<std::unique_ptr<Signer>> open(CommandSignerOptions options);

  Result<std::string> sign(std::string_view bytes, std::stop_token stop) override;
  bool can_sign() const override { return !m_command.empty(); }
  Result<void> check(std::string_view bytes, std::string_view signature) override {
    return m_ring->check(bytes, signature);
  }
  const std::string& public_keys() const override { return m_ring->armored(); }
  std::optional<KeyExpiry> next_expiry() const override { return m_ring->next_expiry(); }

private:
  CommandSigner(std::vector<std::string> command, Duration deadline, std::unique_ptr<PublicKeyRing> ring)
      : m_command(std::move(command)), m_deadline(deadline), m_ring(std::move(ring)) {}

  const std::vector<std::string> m_command;
  const Duration m_deadline;
  const std::unique_ptr<PublicKeyRing> m_ring;
};

}  // namespace repoupdate
