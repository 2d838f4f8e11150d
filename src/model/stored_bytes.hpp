// SPDX-License-Identifier: Apache-2.0
// Bytes that do not change and need not be in memory: an open file, an object of a store, or parts of others put
// together. Metadata files are handed about as these, so that memory does not grow with the repository.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

// How much to read at once: enough that a request is worth its round trip, little enough for several at a time.
inline constexpr std::uint64_t k_local_piece = std::uint64_t{1} << 20;
inline constexpr std::uint64_t k_remote_piece = std::uint64_t{8} << 20;

// Every call may be made from several threads at once.
class StoredBytes {
public:
  virtual ~StoredBytes() = default;

  virtual std::uint64_t size() const = 0;

  // Fills `into` with the bytes from `offset` on. invalid when they reach past the end; precondition_failed when they
  // are other bytes by now; else what the store says.
  virtual Result<void> read(std::uint64_t offset, std::span<char> into) const = 0;

  // Reading costs no request: in memory or on a local disk.
  virtual bool is_local() const { return true; }

  // How much to ask for at a time when all of it is wanted.
  virtual std::uint64_t preferred_piece() const { return k_local_piece; }
};

using SharedBytes = std::shared_ptr<const StoredBytes>;  // never null

class MemoryBytes final : public StoredBytes {
public:
  explicit MemoryBytes(std::string bytes) : m_bytes(std::move(bytes)) {}
  std::uint64_t size() const override { return m_bytes.size(); }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override;

private:
  std::string m_bytes;
};

// Pieces of others and new bytes, one behind the other.
class ComposedBytes final : public StoredBytes {
public:
  void append(std::string bytes);
  // Shares the ownership of `source`; joins what lies side by side there.
  void append(SharedBytes source, std::uint64_t offset, std::uint64_t size);
  void append(ComposedBytes other);

  std::uint64_t size() const override { return m_size; }
  Result<void> read(std::uint64_t offset, std::span<char> into) const override;
  bool is_local() const override;                  // all of its pieces are
  std::uint64_t preferred_piece() const override;  // the largest of its pieces'

private:
  struct Extent {
    std::uint64_t begin = 0;  // where it lies here
    std::uint64_t size = 0;
    SharedBytes source;
    std::uint64_t offset = 0;  // where it lies in the source
  };
  std::vector<Extent> m_extents;
  std::uint64_t m_size = 0;
};

SharedBytes in_memory(std::string bytes);

// invalid when `wanted` bytes from `offset` on are not all within `size`.
Result<void> check_reach(std::uint64_t offset, std::uint64_t wanted, std::uint64_t size);

// One piece, or all of it when that is at most `limit` bytes, as a string. invalid when it is larger.
Result<std::string> read_piece(const StoredBytes& bytes, std::uint64_t offset, std::uint64_t size);
Result<std::string> read_all(const StoredBytes& bytes, std::uint64_t limit);

// The bytes in order, preferred_piece() at a time. An Error from the sink ends it and is passed on.
Result<void> read_through(const StoredBytes& bytes, const std::function<Result<void>(std::string_view)>& sink);

}  // namespace repoupdate
