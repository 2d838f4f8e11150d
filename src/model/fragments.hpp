// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "model/metadata_kind.hpp"

namespace repoupdate {

// One `<package>` element for each metadata file. Copies share the text until one of them is changed: what was read is
// kept for another try while it is being published, and is there once.
// A copy may be read by one thread while another changes its own.
class Fragments {
public:
  Fragments() : Fragments(PerKind<std::string>{}) {}
  Fragments(PerKind<std::string> texts) : m_texts(std::make_shared<PerKind<std::string>>(std::move(texts))) {}

  const std::string& operator[](MetadataKind kind) const { return (*m_texts)[kind]; }
  std::string& operator[](MetadataKind kind) {
    if (m_texts.use_count() > 1) m_texts = std::make_shared<PerKind<std::string>>(*m_texts);
    return (*m_texts)[kind];
  }

private:
  std::shared_ptr<PerKind<std::string>> m_texts;
};

}  // namespace repoupdate
