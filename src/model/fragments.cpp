// SPDX-License-Identifier: Apache-2.0
#include "model/fragments.hpp"

#include <span>

namespace repoupdate {

std::uint64_t Fragments::size(MetadataKind kind) const {
  return m_aside ? m_aside->size[kind] : (*m_texts)[kind].size();
}

std::uint64_t Fragments::size_in_memory() const {
  std::uint64_t size = 0;
  for (const auto& text : m_texts->values) size += text.size();
  return size;
}

Result<std::string_view> Fragments::text(MetadataKind kind, std::string& room) const {
  if (!m_aside) return std::string_view((*m_texts)[kind]);
  room.resize(m_aside->size[kind]);
  if (auto read = m_aside->file->read(m_aside->begin[kind], std::span(room)); !read) return std::move(read).error();
  return std::string_view(room);
}

Result<void> Fragments::put_aside(const std::shared_ptr<ScratchFile>& file) {
  if (m_aside) return {};
  auto place = std::make_shared<Place>();
  place->file = file;
  for (const auto& about : k_metadata_kinds) {
    const std::string& text = (*m_texts)[about.kind];
    place->begin[about.kind] = file->size();
    place->size[about.kind] = text.size();
    if (auto appended = file->append(text); !appended) return appended;
  }
  m_texts = std::make_shared<PerKind<std::string>>();
  m_aside = std::move(place);
  return {};
}

}  // namespace repoupdate
