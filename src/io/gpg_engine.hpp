// SPDX-License-Identifier: Apache-2.0
// GnuPG, by gpgme: the few operations that are needed, on one GNUPGHOME.
#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace repoupdate {

struct GpgSubkey {
  std::string fingerprint;  // upper-case hex
  std::string algorithm;    // "RSA", "DSA", "EdDSA", ...
  unsigned bits = 0;
  bool can_sign = false;  // by its flags, and neither revoked nor disabled
  bool is_expired = false;
  std::optional<SystemTime> expires;  // none: never
};

struct GpgKey {
  std::string fingerprint;
  std::string user_id;
  bool is_expired = false;
  bool is_revoked = false;
  std::vector<GpgSubkey> subkeys;  // the key itself is the first
};

struct GpgSignature {
  std::string fingerprint;  // of the subkey; of an unknown one maybe only its id
  std::string digest;       // "SHA256"
  std::string problem;      // empty: it is good, and its key is neither expired nor revoked
};

// Thread-safe. Everything ends within the deadline: timed_out.
class GpgEngine {
public:
  // `home` is empty for the user's own. It must outlive this.
  GpgEngine(std::string home, Duration deadline) : m_home(std::move(home)), m_deadline(deadline) {}

  enum class Ring { public_keys, secret_keys };
  // Those that match, or all without a pattern.
  Result<std::vector<GpgKey>> keys(Ring ring, const std::string& pattern = {}) const;

  // Of public and secret keys, armored or not. invalid when there is none.
  Result<void> import_keys(std::string_view bytes) const;

  // Armored.
  Result<std::string> export_key(const std::string& fingerprint) const;

  // Armored and detached, by each of these keys. With a passphrase no agent asks anybody.
  Result<std::string> sign(std::string_view bytes, std::span<const std::string> fingerprints,
                           const std::optional<std::string>& passphrase, std::stop_token stop) const;

  Result<std::vector<GpgSignature>> signatures(std::string_view bytes, std::string_view signature) const;

private:
  const std::string m_home;
  const Duration m_deadline;
};

}  // namespace repoupdate
