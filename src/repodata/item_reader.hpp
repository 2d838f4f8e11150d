// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <utility>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"
#include "repodata/decoder.hpp"
#include "repodata/fragment_scanner.hpp"

namespace repoupdate {

// The items of a stored (compressed) metadata file, one after the other, in memory that does not grow with it.
class ItemReader {
public:
  ItemReader(MetadataKind kind, SharedBytes stored) : m_decoder(std::move(stored)), m_scanner(kind) {}

  // Nothing at the end. Item bytes live until the next call. Errors are the decoder's and the scanner's.
  Result<std::optional<MetadataItem>> next();

private:
  Decoder m_decoder;
  FragmentScanner m_scanner;
  bool m_at_end = false;
};

}  // namespace repoupdate
