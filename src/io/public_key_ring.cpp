// SPDX-License-Identifier: Apache-2.0
#include "io/public_key_ring.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "io/key_strength.hpp"

namespace repoupdate {
namespace {

Error refused(const GpgKey& key, const std::string& reason) {
  return {ErrorKind::invalid, "key " + key.fingerprint + " (" + key.user_id + ") " + reason, {}};
}

// Nothing is wrong with the key itself, and it has at least one subkey that may sign, is strong enough, and lives.
Result<void> check_key(const GpgKey& key, PublicKeyRing::Expired expired) {
  if (key.is_revoked) return refused(key, "was revoked");
  if (key.subkeys.empty()) return refused(key, "cannot be read");
  if (auto weak = weakness_of_key(key.subkeys.front().algorithm, key.subkeys.front().bits); !weak.empty())
    return refused(key, weak);
  std::string reason = "has no part that may sign";
  for (const auto& subkey : key.subkeys) {
    if (!subkey.can_sign) continue;
    reason = weakness_of_key(subkey.algorithm, subkey.bits);
    if (!reason.empty()) continue;
    if (expired == PublicKeyRing::Expired::allowed || !(key.is_expired || subkey.is_expired)) return {};
    reason = "has expired";
  }
  return refused(key, reason);
}

bool may_sign(const GpgSubkey& part) {
  return part.can_sign && weakness_of_key(part.algorithm, part.bits).empty();
}

// Until when it can sign, or could: as long as the key itself lives, and one of its parts that may.
std::optional<SystemTime> end_of(const GpgKey& key) {
  std::optional<SystemTime> last = SystemTime::min();
  for (const auto& part : key.subkeys)
    if (may_sign(part)) last = last && part.expires ? std::optional(std::max(*last, *part.expires)) : std::nullopt;
  const auto& whole = key.subkeys.front().expires;
  return last && whole ? std::min(last, whole) : (last ? last : whole);
}

bool has_part(const GpgKey& key, std::string_view fingerprint) {
  return std::ranges::any_of(key.subkeys, [&](const GpgSubkey& part) { return part.fingerprint == fingerprint; });
}

// What speaks against this signature of the key, which is one of its parts'.
std::string weakness_of(const GpgKey& key, const GpgSignature& signature) {
  if (!signature.problem.empty()) return signature.problem;
  if (auto weak = weakness_of_digest(signature.digest); !weak.empty()) return weak;
  for (const auto& part : key.subkeys)
    if (part.fingerprint == signature.fingerprint)
      if (auto weak = weakness_of_key(part.algorithm, part.bits); !weak.empty()) return "is by a key that " + weak;
  return {};
}

}  // namespace

Result<std::unique_ptr<PublicKeyRing>> PublicKeyRing::open(std::string armored, std::vector<std::string> fingerprints,
                                                           Duration deadline) {
  if (armored.find("PRIVATE KEY BLOCK") != std::string::npos)
    return Error{ErrorKind::invalid, "there is a secret key in it: it would be published", {}};
  if (armored.find("-----BEGIN PGP PUBLIC KEY BLOCK-----") == std::string::npos)
    return Error{ErrorKind::invalid, "there is no armored public key in it (gpg --armor --export)", {}};
  auto home = GpgHome::create();
  if (!home) return std::move(home).error();
  std::unique_ptr<PublicKeyRing> ring(new PublicKeyRing(*std::move(home), std::move(armored), deadline));
  if (auto imported = ring->m_engine.import_keys(ring->m_armored); !imported) return std::move(imported).error();
  if (auto chosen = ring->choose(fingerprints); !chosen) return std::move(chosen).error();
  if (auto good = ring->check_keys(Expired::allowed); !good) return std::move(good).error();
  return ring;
}

Result<void> PublicKeyRing::choose(const std::vector<std::string>& fingerprints) {
  auto keys = m_engine.keys(GpgEngine::Ring::public_keys);
  if (!keys) return std::move(keys).error();
  m_keys = *std::move(keys);
  if (fingerprints.empty())
    for (const auto& key : m_keys) m_signers.push_back(key.fingerprint);
  for (const auto& fingerprint : fingerprints) {
    const auto key = std::ranges::find_if(m_keys, [&](const GpgKey& each) { return has_part(each, fingerprint); });
    if (key == m_keys.end())
      return Error{ErrorKind::invalid, "key " + fingerprint + " is not among the public keys", {}};
    if (std::ranges::find(m_signers, key->fingerprint) == m_signers.end()) m_signers.push_back(key->fingerprint);
  }
  return {};
}

std::optional<KeyExpiry> PublicKeyRing::next_expiry() const {
  std::optional<KeyExpiry> next;
  for (const auto& fingerprint : m_signers) {
    const auto key = std::ranges::find(m_keys, fingerprint, &GpgKey::fingerprint);
    if (key == m_keys.end()) continue;
    if (const auto end = end_of(*key); end && (!next || *end < next->at)) next = {fingerprint, *end};
  }
  return next;
}

Result<void> PublicKeyRing::check_keys(Expired expired) const {
  for (const auto& fingerprint : m_signers) {
    const auto keys = m_engine.keys(GpgEngine::Ring::public_keys, fingerprint);
    if (!keys) return keys.error();
    if (keys->empty()) return Error{ErrorKind::invalid, "key " + fingerprint + " is gone", {}};
    if (auto good = check_key(keys->front(), expired); !good) return good;
  }
  return {};
}

Result<void> PublicKeyRing::check(std::string_view bytes, std::string_view signature) const {
  const auto found = m_engine.signatures(bytes, signature);
  if (!found) return found.error();
  if (found->empty()) return Error{ErrorKind::corrupt, "holds no signature", {}};
  for (const auto& fingerprint : m_signers) {
    const auto key = std::ranges::find(m_keys, fingerprint, &GpgKey::fingerprint);
    std::string reason = "is missing";
    for (const auto& each : *found) {
      // A bad signature tells the id of its key only, the end of the fingerprint.
      const bool is_ours = key != m_keys.end() && std::ranges::any_of(key->subkeys, [&](const GpgSubkey& part) {
                             return !each.fingerprint.empty() && part.fingerprint.ends_with(each.fingerprint);
                           });
      if (!is_ours) continue;
      reason = weakness_of(*key, each);
      if (reason.empty()) break;
    }
    if (!reason.empty()) return Error{ErrorKind::corrupt, "the signature by key " + fingerprint + ' ' + reason, {}};
  }
  return {};
}

Result<std::vector<std::string>> parse_fingerprints(std::string_view text) {
  std::vector<std::string> fingerprints;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    std::string digits;
    for (const char c : text.substr(0, comma))
      if (std::isspace(static_cast<unsigned char>(c)) == 0)
        digits += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (digits.starts_with("0X")) digits.erase(0, 2);
    const bool is_hex = digits.find_first_not_of("0123456789ABCDEF") == std::string::npos;
    if (!is_hex || (digits.size() != 40 && digits.size() != 64))
      return Error{ErrorKind::invalid,
                   "'" + std::string(text.substr(0, comma)) +
                       "' is no fingerprint, which has 40 hex digits (gpg --list-keys --with-fingerprint); shorter ids "
                       "are not unique",
                   {}};
    fingerprints.push_back(std::move(digits));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return fingerprints;
}

}  // namespace repoupdate
