// SPDX-License-Identifier: Apache-2.0
// A package whose SHA-256 nobody has recorded, as it arrives from its first byte to its last: its header is kept, the
// rest goes through the hashes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/hash.hpp"
#include "base/result.hpp"
#include "rpm/header_range.hpp"
#include "rpm/payload_check.hpp"

namespace repoupdate {

class WholePackage {
public:
  // `size`: of the file. `checks_payload`: payload_fits() will be asked.
  WholePackage(std::uint64_t size, bool checks_payload) : m_size(size), m_checks_payload(checks_payload) {}

  // The next bytes. ErrorKind::corrupt: no package; the rest need not be fetched.
  Result<void> take(std::string_view bytes);

  std::uint64_t seen() const { return m_seen; }
  // How many bytes from the start have to be kept, as far as is known.
  std::uint64_t head_wanted() const { return m_wanted; }
  // Every byte has arrived, the whole header among them.
  bool is_complete() const { return m_seen == m_size && m_range && m_head.size() >= m_range->end; }
  const std::string& head() const { return m_head; }      // at least up to the end of the header
  std::string take_head() { return std::move(m_head); }   // the same, once only
  const HeaderRange& range() const { return *m_range; }   // once complete
  std::string sha256() { return m_sha256.finish_hex(); }  // once complete, and once only
  // Once complete, and once only: whether the payload has the digest that the header tells. The header has one of its
  // own, so only the bytes before it may then be others than the store's.
  bool payload_fits() { return m_payload && m_payload->fits(); }

private:
  const std::uint64_t m_size;
  const bool m_checks_payload;
  Hasher m_sha256{HashType::sha256};
  std::optional<PayloadCheck> m_payload;
  std::string m_head;
  std::optional<HeaderRange> m_range;
  std::uint64_t m_wanted = 1, m_seen = 0;
};

}  // namespace repoupdate
