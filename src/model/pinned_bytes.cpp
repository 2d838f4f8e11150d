// SPDX-License-Identifier: Apache-2.0
#include "model/pinned_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace repoupdate {

Result<void> PinnedBytes::read(std::uint64_t offset, std::span<char> into) const {
  if (auto within = check_reach(offset, into.size(), m_info.size); !within) return within;
  while (!into.empty()) {
    const auto range = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), k_remote_piece)));
    if (auto done = read_range(offset, range); !done) return done;
    offset += range.size();
    into = into.subspan(range.size());
  }
  return {};
}

Result<void> PinnedBytes::read_range(std::uint64_t offset, std::span<char> into) const {
  const auto failed = [this](ErrorKind kind, const char* why) {
    return Error{kind, m_store.name() + '/' + m_info.key + ": " + why, {}};
  };
  std::size_t filled = 0;
  const auto fill = [&](std::string_view bytes) -> Result<void> {
    if (bytes.size() > into.size() - filled)
      return failed(ErrorKind::corrupt, "the store sent more than was asked for");
    std::memcpy(into.data() + filled, bytes.data(), bytes.size());
    filled += bytes.size();
    return {};
  };
  const auto info = m_store.read(m_info.key, {ByteRange{offset, into.size()}, m_info.etag}, fill);
  if (info.failed_with(ErrorKind::not_found)) return failed(ErrorKind::precondition_failed, "removed meanwhile");
  if (!info) return info.error();
  if (info->etag != m_info.etag) return failed(ErrorKind::precondition_failed, "changed meanwhile");
  if (filled != into.size()) return failed(ErrorKind::corrupt, "the store sent less than was asked for");
  return {};
}

}  // namespace repoupdate
