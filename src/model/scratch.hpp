// SPDX-License-Identifier: Apache-2.0
// The door to local disk for large byte strings that nobody needs to keep.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "model/stored_bytes.hpp"

namespace repoupdate {

// Bytes that grow at their end and are gone with their last user. Append only while nobody reads; what has been
// appended never changes.
class ScratchFile : public StoredBytes {
public:
  // All of `bytes` or, on failure, nothing. no_space when the disk is full.
  virtual Result<void> append(std::string_view bytes) = 0;
};

// Every call may be made from several threads at once.
class Scratch {
public:
  virtual ~Scratch() = default;
  // Empty. It may outlive the Scratch.
  virtual Result<std::shared_ptr<ScratchFile>> create() = 0;
};

Result<SharedBytes> copy_to_scratch(const StoredBytes& bytes, Scratch& scratch);

// `bytes` when reading them costs nothing already, else a copy of them.
Result<SharedBytes> make_local(const SharedBytes& bytes, Scratch& scratch);

}  // namespace repoupdate
