// SPDX-License-Identifier: Apache-2.0
#include "testkit/fake_signer.hpp"

#include <utility>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

std::string line_of(const std::string& key, std::string_view bytes) {
  return key + ' ' + sha256_hex(bytes) + '\n';
}

}  // namespace

FakeSigner::FakeSigner(std::vector<std::string> keys) : m_keys(std::move(keys)) {
  for (const auto& key : m_keys) m_public_keys += "public " + key + '\n';
}

int FakeSigner::signatures() const {
  const std::scoped_lock lock(m_mutex);
  return m_signatures;
}

Result<std::string> FakeSigner::sign(std::string_view bytes, std::stop_token stop) {
  if (before)
    if (auto allowed = before(); !allowed) return std::move(allowed).error();
  if (stop.stop_requested()) return Error{ErrorKind::cancelled, "signing was stopped", {}};
  const std::scoped_lock lock(m_mutex);
  ++m_signatures;
  std::string signature;
  for (const auto& key : m_keys) signature += line_of(key, bytes);
  return signature;
}

Result<void> FakeSigner::check(std::string_view bytes, std::string_view signature) {
  for (const auto& key : m_keys)
    if (signature.find(line_of(key, bytes)) == std::string_view::npos)
      return Error{ErrorKind::corrupt, "no good signature by " + key, {}};
  return {};
}

}  // namespace repoupdate
