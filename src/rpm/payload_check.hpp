// SPDX-License-Identifier: Apache-2.0
// Whether a payload is the one that its package's header tells of. The header is protected by a digest of its own
// (rpm/header_reader.hpp), the payload by one in the header: PAYLOADDIGEST (5092), of the bytes as they are in the
// file, by the algorithm PAYLOADDIGESTALGO (5093), which rpm writes since 4.14.
// Source: rpm's tag list (docs/manual/tags.md in rpm's tree).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/hash.hpp"
#include "rpm/header_range.hpp"

namespace repoupdate {

class PayloadCheck {
public:
  // `head`: the file's first bytes, at least to the end of its header; what follows that belongs to the payload.
  PayloadCheck(std::string_view head, const HeaderRange& range);

  // The file's next bytes.
  void update(std::string_view bytes);

  // Once, after the last byte. False as well where the header tells no digest, or one of an unknown algorithm.
  bool fits();

private:
  std::string m_expected;  // hex
  std::optional<Hasher> m_hasher;
};

}  // namespace repoupdate
