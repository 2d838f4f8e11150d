// SPDX-License-Identifier: Apache-2.0
#include "repodata/item_reader.hpp"

#include <utility>

namespace repoupdate {

Result<std::optional<MetadataItem>> ItemReader::next() {
  for (;;) {
    auto item = m_scanner.next();
    if (!item || *item || m_at_end) return item;
    auto piece = m_decoder.next();
    if (!piece) return std::move(piece).error();
    m_at_end = piece->empty();
    if (m_at_end)
      m_scanner.finish();
    else
      m_scanner.feed(*piece);
  }
}

}  // namespace repoupdate
