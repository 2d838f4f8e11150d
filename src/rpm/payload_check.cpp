// SPDX-License-Identifier: Apache-2.0
#include "rpm/payload_check.hpp"

#include <rpm/header.h>
#include <rpm/rpmcrypto.h>
#include <rpm/rpmtd.h>

#include "rpm/header_reader.hpp"

namespace repoupdate {
namespace {

std::optional<HashType> hash_type(std::uint64_t algorithm) {
  switch (algorithm) {
    case RPM_HASH_SHA256: return HashType::sha256;
    case RPM_HASH_SHA384: return HashType::sha384;
    case RPM_HASH_SHA512: return HashType::sha512;
    default: return std::nullopt;
  }
}

std::string first_string(Header header, rpmTagVal tag) {
  rpmtd_s data{};
  if (!headerGet(header, tag, &data, HEADERGET_MINMEM)) return {};
  const char* text = rpmtdNextString(&data);
  std::string string = text ? text : "";
  rpmtdFreeData(&data);
  return string;
}

}  // namespace

PayloadCheck::PayloadCheck(std::string_view head, const HeaderRange& range) {
  const auto header = read_header(head.substr(0, range.end), range);
  if (!header) return;
  const auto type = hash_type(headerGetNumber(header->get(), RPMTAG_PAYLOADDIGESTALGO));
  if (!type) return;
  m_expected = first_string(header->get(), RPMTAG_PAYLOADDIGEST);
  m_hasher.emplace(*type);
  m_hasher->update(head.substr(range.end));
}

void PayloadCheck::update(std::string_view bytes) {
  if (m_hasher) m_hasher->update(bytes);
}

bool PayloadCheck::fits() {
  return m_hasher && m_hasher->finish_hex() == m_expected;
}

}  // namespace repoupdate
