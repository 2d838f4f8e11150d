// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "model/scratch.hpp"

namespace repoupdate {

// One `<package>` element for each metadata file, in memory or put aside. Copies share the text until one of them is
// changed: what was read is kept for another try while it is being published, and is there once.
// A copy may be read by one thread while another changes its own.
class Fragments {
public:
  Fragments() : Fragments(PerKind<std::string>{}) {}
  Fragments(PerKind<std::string> texts) : m_texts(std::make_shared<PerKind<std::string>>(std::move(texts))) {}

  // Of what has not been put aside.
  const std::string& operator[](MetadataKind kind) const { return (*m_texts)[kind]; }
  std::string& operator[](MetadataKind kind) {
    if (m_texts.use_count() > 1) m_texts = std::make_shared<PerKind<std::string>>(*m_texts);
    return (*m_texts)[kind];
  }

  std::uint64_t size(MetadataKind kind) const;  // bytes
  std::uint64_t size_in_memory() const;         // of all kinds

  // One text, in memory or read into `room`: good as long as both stay as they are. Failures are the file's.
  Result<std::string_view> text(MetadataKind kind, std::string& room) const;

  // Moves the texts to the end of `file`, from which nobody may read meanwhile. On failure they stay where they are.
  Result<void> put_aside(const std::shared_ptr<ScratchFile>& file);

private:
  struct Place {
    SharedBytes file;
    PerKind<std::uint64_t> begin, size;
  };

  std::shared_ptr<PerKind<std::string>> m_texts;  // empty ones when they are put aside
  std::shared_ptr<const Place> m_aside;           // null: in memory
};

}  // namespace repoupdate
