// SPDX-License-Identifier: Apache-2.0
#include "io/gpg_signer.hpp"

#include <utility>

namespace repoupdate {
namespace {

// Those that are to sign, by the fingerprints of the keys themselves.
Result<std::vector<std::string>> choose_keys(const GpgEngine& engine, const std::vector<std::string>& wanted) {
  std::vector<std::string> chosen;
  if (wanted.empty()) {
    const auto all = engine.keys(GpgEngine::Ring::secret_keys);
    if (!all) return all.error();
    for (const auto& key : *all) chosen.push_back(key.fingerprint);
    if (chosen.empty()) return Error{ErrorKind::invalid, "there is no secret key in the key file", {}};
  }
  for (const auto& fingerprint : wanted) {
    const auto found = engine.keys(GpgEngine::Ring::secret_keys, fingerprint);
    if (!found) return found.error();
    if (found->empty()) return Error{ErrorKind::invalid, "the secret key " + fingerprint + " is not there", {}};
    chosen.push_back(found->front().fingerprint);
  }
  return chosen;
}

// One armored block for each: some clients read only the first key of a block.
Result<std::string> export_keys(const GpgEngine& engine, const std::vector<std::string>& fingerprints) {
  std::string armored;
  for (const auto& fingerprint : fingerprints) {
    const auto block = engine.export_key(fingerprint);
    if (!block) return block.error();
    armored += *block;
  }
  return armored;
}

}  // namespace

Result<std::unique_ptr<Signer>> GpgSigner::open(GpgSignerOptions options) {
  std::unique_ptr<GpgHome> home;
  if (!options.secret_keys.empty()) {
    auto made = GpgHome::create();
    if (!made) return std::move(made).error();
    home = *std::move(made);
  }
  GpgEngine engine(home ? home->path() : options.home, options.deadline);
  if (home)
    if (auto imported = engine.import_keys(options.secret_keys); !imported)
      return std::move(imported.error()).within("sign_key_file");
  auto keys = choose_keys(engine, options.fingerprints);
  if (!keys) return std::move(keys).error();
  if (options.public_keys.empty()) {
    auto exported = export_keys(engine, *keys);
    if (!exported) return std::move(exported).error();
    options.public_keys = *std::move(exported);
  }
  auto ring = PublicKeyRing::open(std::move(options.public_keys), *std::move(keys), options.deadline);
  if (!ring) return std::move(ring).error();
  return std::unique_ptr<Signer>(
      new GpgSigner(std::move(home), std::move(engine), std::move(options.passphrase), *std::move(ring)));
}

Result<std::string> GpgSigner::sign(std::string_view bytes, std::stop_token stop) {
  auto signature = m_engine.sign(bytes, m_ring->signers(), m_passphrase, std::move(stop));
  if (!signature) {
    // GnuPG says "unusable" of a key that has expired since.
    if (auto usable = m_ring->check_keys(); usable.failed_with(ErrorKind::invalid)) return std::move(usable).error();
    return signature;
  }
  if (auto good = m_ring->check(bytes, *signature); !good) {
    if (good.failed_with(ErrorKind::corrupt)) good.error().kind = ErrorKind::invalid;
    return std::move(good).error();
  }
  return signature;
}

}  // namespace repoupdate
