// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <utility>

#include "model/object.hpp"
#include "model/object_store.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// One version of an object, read from its store by ranges of at most k_remote_piece under If-Match.
//
// A read fails with precondition_failed when the object is another one by now, or gone; with corrupt when the store
// sends more or less than was asked for.
class PinnedBytes final : public StoredBytes {
public:
  // `info` is what the store's head() says of that version. The store must outlive it.
  PinnedBytes(ObjectStore& store, ObjectInfo info) : m_store(store), m_info(std::move(info)) {}

  std::uint64_t size() const override { return m_info.size; }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override;
  bool is_local() const override { return false; }
  std::uint64_t preferred_piece() const override { return k_remote_piece; }

private:
  Result<void> read_range(std::uint64_t offset, std::span<char> into) const;

  ObjectStore& m_store;
  const ObjectInfo m_info;
};

}  // namespace repoupdate
