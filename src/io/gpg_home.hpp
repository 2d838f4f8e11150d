// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"
#include "io/posix_file.hpp"

namespace repoupdate {

// A GNUPGHOME of our own, for this user alone: below RUNTIME_DIRECTORY or XDG_RUNTIME_DIR, where files never reach a
// disk, else below TMPDIR or /tmp. It goes with its owner, and so does the agent that GnuPG may have started for it; what
// a killed process has left is removed by the next one. Thread-safe.
class GpgHome {
public:
  static Result<std::unique_ptr<GpgHome>> create();
  ~GpgHome();
  GpgHome(const GpgHome&) = delete;
  GpgHome& operator=(const GpgHome&) = delete;

  const std::string& path() const { return m_path; }

private:
  GpgHome(std::string path, FileHandle lock) : m_path(std::move(path)), m_lock(std::move(lock)) {}

  const std::string m_path;
  const FileHandle m_lock;  // held for as long as the home is in use
};

}  // namespace repoupdate
