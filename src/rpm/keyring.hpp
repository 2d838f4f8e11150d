// SPDX-License-Identifier: Apache-2.0
// Whose packages are let in: public keys, and the signature of a package's header held against them.
//
// A package is signed over its header (tags DSAHEADER, RSAHEADER, and OPENPGP of rpm 6 in the signature header), which has
// the digest of the payload; so the first bytes of the file are enough. Old packages carry a signature over header and
// payload instead, or have no digest of the payload: those count as not signed.
// Source: rpm's "Package file format" and "Signatures" (docs/manual/format*.md, signatures_digests.md in rpm's tree).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "rpm/header_range.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_public_key_file = std::size_t{1} << 20;
inline constexpr std::size_t k_max_signatures = 16;  // of one package; more are not looked at

// librpm's keyring. Once filled, it may be used from several threads at once.
class Keyring {
public:
  Keyring();
  Keyring(Keyring&&) noexcept;
  Keyring& operator=(Keyring&&) noexcept;
  ~Keyring();

  // The public keys in a file, ASCII-armoured or binary, with their subkeys. invalid, naming `name`: there is none in it.
  Result<void> add(std::string_view bytes, const std::string& name);

  // `head` and `range` as for read_package(), which has accepted them. invalid, with the reason, unless one of the
  // header's signatures is of one of the keys, and made with a hash that is still worth something (not MD5, SHA-1).
  Result<void> check(std::string_view head, const HeaderRange& range) const;

private:
  struct State;
  std::unique_ptr<State> m_state;
};

}  // namespace repoupdate
