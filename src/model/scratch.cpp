// SPDX-License-Identifier: Apache-2.0
#include "model/scratch.hpp"

#include <utility>

namespace repoupdate {

Result<SharedBytes> copy_to_scratch(const StoredBytes& bytes, Scratch& scratch) {
  auto copy = scratch.create();
  if (!copy) return std::move(copy).error();
  const auto append = [&](std::string_view piece) { return (*copy)->append(piece); };
  if (auto copied = read_through(bytes, append); !copied) return std::move(copied).error();
  return SharedBytes(*std::move(copy));
}

Result<SharedBytes> make_local(const SharedBytes& bytes, Scratch& scratch) {
  if (bytes->is_local()) return bytes;
  return copy_to_scratch(*bytes, scratch);
}

}  // namespace repoupdate
