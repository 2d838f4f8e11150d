// SPDX-License-Identifier: Apache-2.0
#include "model/stored_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace repoupdate {

Result<void> check_reach(std::uint64_t offset, std::uint64_t wanted, std::uint64_t size) {
  if (offset <= size && wanted <= size - offset) return {};
  return Error{ErrorKind::invalid,
               std::to_string(wanted) + " bytes from byte " + std::to_string(offset) + " on were asked for, of " +
                   std::to_string(size),
               {}};
}

Result<void> MemoryBytes::read(std::uint64_t offset, std::span<char> into) const {
  if (auto within = check_reach(offset, into.size(), m_bytes.size()); !within) return within;
  if (!into.empty()) std::memcpy(into.data(), m_bytes.data() + offset, into.size());
  return {};
}

void ComposedBytes::append(std::string bytes) {
  const std::uint64_t size = bytes.size();
  append(in_memory(std::move(bytes)), 0, size);
}

void ComposedBytes::append(SharedBytes source, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return;
  Extent* last = m_extents.empty() ? nullptr : &m_extents.back();
  if (last && last->source == source && last->offset + last->size == offset)
    last->size += size;
  else
    m_extents.push_back({m_size, size, std::move(source), offset});
  m_size += size;
}

void ComposedBytes::append(ComposedBytes other) {
  for (Extent& extent : other.m_extents) append(std::move(extent.source), extent.offset, extent.size);
}

Result<void> ComposedBytes::read(std::uint64_t offset, std::span<char> into) const {
  if (auto within = check_reach(offset, into.size(), m_size); !within) return within;
  auto extent = std::ranges::upper_bound(m_extents, offset, {}, &Extent::begin);
  while (!into.empty()) {
    const Extent& from = *std::prev(extent++);
    const std::uint64_t skip = offset - from.begin;
    const auto part = into.first(static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), from.size - skip)));
    if (auto done = from.source->read(from.offset + skip, part); !done) return done;
    into = into.subspan(part.size());
    offset += part.size();
  }
  return {};
}

bool ComposedBytes::is_local() const {
  return std::ranges::all_of(m_extents, [](const Extent& extent) { return extent.source->is_local(); });
}

std::uint64_t ComposedBytes::preferred_piece() const {
  std::uint64_t piece = k_local_piece;
  for (const Extent& extent : m_extents) piece = std::max(piece, extent.source->preferred_piece());
  return piece;
}

SharedBytes in_memory(std::string bytes) {
  return std::make_shared<MemoryBytes>(std::move(bytes));
}

Result<std::string> read_piece(const StoredBytes& bytes, std::uint64_t offset, std::uint64_t size) {
  if (auto within = check_reach(offset, size, bytes.size()); !within) return std::move(within).error();
  std::string piece(static_cast<std::size_t>(size), '\0');
  if (auto done = bytes.read(offset, piece); !done) return std::move(done).error();
  return piece;
}

Result<std::string> read_all(const StoredBytes& bytes, std::uint64_t limit) {
  if (bytes.size() > limit)
    return Error{ErrorKind::invalid,
                 std::to_string(bytes.size()) + " bytes, more than the limit of " + std::to_string(limit),
                 {}};
  return read_piece(bytes, 0, bytes.size());
}

Result<void> read_through(const StoredBytes& bytes, const std::function<Result<void>(std::string_view)>& sink) {
  std::string piece(static_cast<std::size_t>(std::min(bytes.preferred_piece(), bytes.size())), '\0');
  for (std::uint64_t offset = 0; offset < bytes.size();) {
    const auto part =
        std::span(piece).first(static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), bytes.size() - offset)));
    if (auto done = bytes.read(offset, part); !done) return done;
    if (auto taken = sink({part.data(), part.size()}); !taken) return taken;
    offset += part.size();
  }
  return {};
}

}  // namespace repoupdate
