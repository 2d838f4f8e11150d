// SPDX-License-Identifier: Apache-2.0
// The beginning of primary, filelists and other: XML declaration and root start tag. All of it stays as it is
// when packages come and go, but for the value of `packages=`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/metadata_kind.hpp"

namespace repoupdate {

struct Prolog {
  std::string before_count;     // up to the value of packages=, and its quote
  std::string after_count;      // from the closing quote on, ending in '>'
  bool root_was_empty = false;  // stood there as `<metadata .../>`: its end tag has to be written
};

// From a scanner's prolog item. unsupported when what follows cannot be edited as bytes: another encoding than
// UTF-8, or other namespaces than createrepo_c's, by which clients may know the elements.
Result<Prolog> read_prolog(MetadataKind kind, std::string_view bytes);

std::string with_count(const Prolog& prolog, std::size_t packages);

// createrepo_c's document without packages.
std::string empty_document(MetadataKind kind);

}  // namespace repoupdate
