// SPDX-License-Identifier: Apache-2.0
// Files that appeared without a sign that they are complete: they count once they stay the same for a while.
// Pure: time and the files' present state come from the caller.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace repoupdate {

// A file below one of several watched roots.
struct WatchedFile {
  std::size_t root = 0;  // its number
  std::string key;       // the path below it
  auto operator<=>(const WatchedFile&) const = default;
};

struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds since the epoch
  bool operator==(const FileStamp&) const = default;
};

class SettlingFiles {
public:
  // The present stamp of a file; nothing when it is gone.
  using Look = std::function<std::optional<FileStamp>(const WatchedFile&)>;

  // Waits for `file` to keep `stamp` for `quiet`. A file that is waited for already keeps the shorter wait.
  void add(const WatchedFile& file, FileStamp stamp, Duration quiet, SteadyTime now);
  void forget(const WatchedFile& file) { m_waiting.erase(file); }

  // The files whose wait is over, which are then forgotten. One that changed meanwhile waits anew; one that is
  // gone is forgotten.
  std::vector<WatchedFile> take_settled(SteadyTime now, const Look& look);

  // When the next wait ends; nothing when no file is waited for.
  std::optional<SteadyTime> next() const;

private:
  struct Waiting {
    FileStamp stamp;
    Duration quiet;
    SteadyTime since;
  };
  std::map<WatchedFile, Waiting> m_waiting;
};

}  // namespace repoupdate
