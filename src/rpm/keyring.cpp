// SPDX-License-Identifier: Apache-2.0
#include "rpm/keyring.hpp"

#include <rpm/header.h>
#include <rpm/rpmbase64.h>
#include <rpm/rpmcrypto.h>
#include <rpm/rpmkeyring.h>
#include <rpm/rpmpgp.h>
#include <rpm/rpmtd.h>

#include <cstdint>
#include <cstdlib>
#include <vector>

#include "base/hash.hpp"
#include "rpm/header_reader.hpp"

namespace repoupdate {
namespace {

struct FreeKeyring {
  void operator()(rpmKeyring keyring) const { rpmKeyringFree(keyring); }
};
struct FreeKey {
  void operator()(rpmPubkey key) const { rpmPubkeyFree(key); }
};
struct FreeParameters {
  void operator()(pgpDigParams parameters) const { pgpDigParamsFree(parameters); }
};
struct FreeDigest {
  void operator()(DIGEST_CTX digest) const { rpmDigestFinal(digest, nullptr, nullptr, 0); }
};
struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using KeyPtr = std::unique_ptr<std::remove_pointer_t<rpmPubkey>, FreeKey>;
using ParametersPtr = std::unique_ptr<std::remove_pointer_t<pgpDigParams>, FreeParameters>;
using DigestPtr = std::unique_ptr<std::remove_pointer_t<DIGEST_CTX>, FreeDigest>;

constexpr rpmTagVal k_openpgp = 278;  // rpm 6: all signatures, each in base64
constexpr std::string_view k_armour = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

const std::uint8_t* raw(std::string_view bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

// The packets of each armoured block; of a binary file the bytes as they are.
std::vector<std::string> blocks_of(std::string_view bytes) {
  auto begin = bytes.find(k_armour);
  if (begin == std::string_view::npos) return {std::string(bytes)};
  std::vector<std::string> blocks;
  while (begin != std::string_view::npos) {
    const auto next = bytes.find(k_armour, begin + 1);
    const std::string armour(bytes.substr(begin, next == std::string_view::npos ? next : next - begin));
    std::uint8_t* packets = nullptr;
    std::size_t size = 0;
    const auto kind = pgpParsePkts(armour.c_str(), &packets, &size);
    const std::unique_ptr<std::uint8_t, FreeMemory> owned(packets);
    if (kind == PGPARMOR_PUBKEY && packets) blocks.emplace_back(reinterpret_cast<const char*>(packets), size);
    begin = next;
  }
  return blocks;
}

void append_binary(std::vector<std::string>& signatures, Header header, rpmTagVal tag) {
  rpmtd_s data{};
  if (!headerGet(header, tag, &data, HEADERGET_MINMEM)) return;
  if (data.type == RPM_BIN_TYPE && data.count > 0)
    signatures.emplace_back(static_cast<const char*>(data.data), data.count);
  rpmtdFreeData(&data);
}

void append_base64(std::vector<std::string>& signatures, Header header) {
  rpmtd_s data{};
  if (!headerGet(header, k_openpgp, &data, HEADERGET_MINMEM)) return;
  while (const char* text = rpmtdNextString(&data)) {
    void* bytes = nullptr;
    std::size_t size = 0;
    if (rpmBase64Decode(text, &bytes, &size) != 0) continue;
    const std::unique_ptr<void, FreeMemory> owned(bytes);
    signatures.emplace_back(static_cast<const char*>(bytes), size);
    if (signatures.size() == k_max_signatures) break;
  }
  rpmtdFreeData(&data);
}

std::vector<std::string> signatures_of(Header header) {
  std::vector<std::string> signatures;
  append_base64(signatures, header);
  append_binary(signatures, header, RPMTAG_RSAHEADER);
  append_binary(signatures, header, RPMTAG_DSAHEADER);
  return signatures;
}

std::string key_id(pgpDigParams signature) {
  const auto* id = pgpDigParamsSignID(signature);
  return id ? to_hex({reinterpret_cast<const char*>(id), 8}) : "unknown";
}

Error refusal(const std::string& why) {
  return {ErrorKind::invalid, "refused by signed_by: " + why, {}};
}

Result<void> check_signature(rpmKeyring keyring, std::string_view signature, std::string_view header) {
  pgpDigParams parsed = nullptr;
  const bool parses = pgpPrtParams(raw(signature), signature.size(), PGPTAG_SIGNATURE, &parsed) == 0;
  const ParametersPtr parameters(parsed);
  if (!parses || !parameters || pgpSignatureType(parsed) != PGPSIGTYPE_BINARY)
    return refusal("its signature does not parse");
  const auto algorithm = static_cast<int>(pgpDigParamsAlgo(parsed, PGPVAL_HASHALGO));
  if (algorithm != PGPHASHALGO_SHA256 && algorithm != PGPHASHALGO_SHA384 && algorithm != PGPHASHALGO_SHA512 &&
      algorithm != PGPHASHALGO_SHA224)
    return refusal("its signature is made with MD5, SHA-1 or another hash that is worth nothing");
  const DigestPtr digest(rpmDigestInit(algorithm, RPMDIGEST_NONE));
  if (!digest || rpmDigestUpdate(digest.get(), header.data(), header.size()) != 0)
    return refusal("librpm cannot compute the hash of its signature");
  const auto outcome = rpmKeyringVerifySig(keyring, parsed, digest.get());
  if (outcome == RPMRC_OK) return {};
  if (outcome == RPMRC_NOKEY) return refusal("it is signed by another key, " + key_id(parsed));
  return refusal("the signature of key " + key_id(parsed) + " does not fit the header");
}

}  // namespace

struct Keyring::State {
  std::unique_ptr<std::remove_pointer_t<rpmKeyring>, FreeKeyring> keyring;

  bool add(std::string_view certificate) {
    const KeyPtr key(rpmPubkeyNew(raw(certificate), certificate.size()));
    if (!key) return false;
    if (rpmKeyringAddKey(keyring.get(), key.get()) < 0) return false;
    int count = 0;
    const std::unique_ptr<rpmPubkey, FreeMemory> subkeys(rpmGetSubkeys(key.get(), &count));
    for (int i = 0; subkeys && i < count; ++i) {
      const KeyPtr subkey(subkeys.get()[i]);
      rpmKeyringAddKey(keyring.get(), subkey.get());
    }
    return true;
  }
};

Keyring::Keyring() : m_state(std::make_unique<State>()) {
  prepare_librpm();
  m_state->keyring.reset(rpmKeyringNew());
}
Keyring::Keyring(Keyring&&) noexcept = default;
Keyring& Keyring::operator=(Keyring&&) noexcept = default;
Keyring::~Keyring() = default;

Result<void> Keyring::add(std::string_view bytes, const std::string& name) {
  if (bytes.size() > k_max_public_key_file)
    return Error{ErrorKind::invalid, name + " is larger than a file of public keys may be (1 MiB)", {}};
  std::size_t added = 0;
  for (const auto& block : blocks_of(bytes)) {
    for (std::string_view rest = block; !rest.empty();) {
      std::size_t length = 0;
      if (pgpPubKeyCertLen(raw(rest), rest.size(), &length) != 0 || length == 0 || length > rest.size()) break;
      added += m_state->add(rest.substr(0, length));
      rest.remove_prefix(length);
    }
  }
  if (added > 0) return {};
  return Error{ErrorKind::invalid, name + " holds no OpenPGP public key that librpm can use", {}};
}

Result<void> Keyring::check(std::string_view head, const HeaderRange& range) const {
  const auto header = read_header(head.substr(0, range.end), range);
  if (!header) return header.error();
  const auto signatures = signatures_of(header->get());
  if (signatures.empty()) {
    const bool is_old = headerIsEntry(header->get(), RPMTAG_SIGPGP) || headerIsEntry(header->get(), RPMTAG_SIGGPG);
    return refusal(
        is_old ? "only header and payload together are signed, as rpm 4.0 did; sign the header: rpmsign --addsign"
               : "it is not signed");
  }
  const bool covers_payload = headerIsEntry(header->get(), RPMTAG_PAYLOADDIGEST);
  if (!covers_payload) return refusal("its header has no digest of the payload, so the signature says nothing of that");
  const auto signed_bytes = head.substr(range.start, range.end - range.start);
  Result<void> first;
  for (const auto& signature : signatures) {
    auto good = check_signature(m_state->keyring.get(), signature, signed_bytes);
    if (good) return good;
    if (first) first = std::move(good);
  }
  return first;
}

}  // namespace repoupdate
