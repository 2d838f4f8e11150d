// SPDX-License-Identifier: Apache-2.0
// Makes the signers that the settings describe: one for all repositories that are signed in the same way.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "app/settings.hpp"
#include "base/result.hpp"
#include "model/signer.hpp"

namespace repoupdate {

inline constexpr std::uint64_t k_max_key_file = 1 << 20;  // bytes, also of a passphrase

// Thread-safe. What it hands out lives as long as it does.
class Signers {
public:
  // Null when the repository is not signed. An Error: settings contradict each other, a file cannot be read, or a key may
  // not be used, and why.
  Result<Signer*> open(const RepositorySettings& settings);

private:
  std::mutex m_mutex;
  std::map<std::string, std::unique_ptr<Signer>> m_signers;  // by all that describes them
};

}  // namespace repoupdate
