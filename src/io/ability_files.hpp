// SPDX-License-Identifier: Apache-2.0
// What was found out about stores, kept in small files on a local disk, so that not every process has to try it again.
#pragma once

#include <optional>
#include <string>

#include "base/clock.hpp"
#include "model/store_abilities.hpp"

namespace repoupdate {

// Believed for this long: a store may be upgraded.
inline constexpr std::chrono::hours k_abilities_believed{7 * 24};

// One file for each endpoint and bucket. They lie where others may write, too (/var/tmp): only a file of this user
// that nobody else may write to is believed. What cannot be read or written costs a probe, never an error.
class AbilityFiles {
public:
  // The clock must outlive it.
  AbilityFiles(std::string directory, Clock& clock) : m_directory(std::move(directory)), m_clock(clock) {}

  // `store` names endpoint and bucket: "http://host:port/bucket".
  std::optional<StoreAbilities> find(const std::string& store) const;
  void keep(const std::string& store, const StoreAbilities& abilities) const;

private:
  std::string path_of(const std::string& store) const;

  std::string m_directory;
  Clock& m_clock;
};

}  // namespace repoupdate
