// SPDX-License-Identifier: Apache-2.0
// inotify(7) over whole directory trees: what the kernel says about directories becomes packages to look at.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "io/posix_file.hpp"
#include "io/settling_files.hpp"

namespace repoupdate {

// A file whose name ends in ".rpm", seen below a root. Hidden names and everything below `repodata` are no
// packages and never seen.
struct Sighting {
  enum class Kind {
    complete,  // closed after writing, or moved here
    gone,      // deleted or moved away, alone or with a directory above it
    created,   // made by a writer that has probably not finished
    found      // linked here, or already there when its directory came to be watched: may be complete
  };
  WatchedFile file;
  Kind kind = Kind::complete;
};

// Used by one thread at a time. Only changes made through this machine's kernel are seen: not those that
// another host makes on a network file system.
class DirectoryWatch {
public:
  // `roots` are absolute. Nothing is watched before the first restore(). ErrorKind::no_space when the user
  // has too many inotify instances.
  static Result<std::unique_ptr<DirectoryWatch>> open(std::vector<std::string> roots);

  int descriptor() const { return m_inotify.get(); }  // readable when drain() has something
  std::string path(const WatchedFile& file) const { return m_roots[file.root].path + '/' + file.key; }

  // Begins to watch every root that is not watched, or has become another directory (mounted, replaced), and
  // reports all that is in it, and as gone what was known and is not. A root that cannot be watched as a whole
  // keeps what it knows and reports nothing; problem() then tells why, until a later call succeeds.
  std::vector<Sighting> restore();

  // What happened since. When the kernel's queue overflowed, everything is reported as restore() does.
  std::vector<Sighting> drain();

  // unavailable: a root is not there. no_space: fs.inotify.max_user_watches is too small. denied: a directory
  // may not be read.
  std::optional<Error> problem() const;

private:
  struct Root {
    std::string path;
    std::optional<FileIdentity> identity;  // of the directory that is watched
    std::optional<Error> problem;
    std::set<std::string> known;  // keys of packages
  };
  // A directory: "" or "some/where/" below a root. Links and overlapping roots give one directory several.
  struct Place {
    std::size_t root = 0;
    std::string key;
    auto operator<=>(const Place&) const = default;
  };
  struct Happening {
    std::uint32_t mask = 0;
    std::string_view name;
  };
  struct Scan {
    std::size_t root = 0;
    Sighting::Kind kind = Sighting::Kind::found;
    std::vector<FileIdentity> above;  // the directories we are in
    std::vector<Sighting> seen;
    std::optional<Error> problem;  // the first one
  };

  DirectoryWatch(FileHandle inotify, std::vector<std::string> roots);

  void rescan(std::size_t root, std::vector<Sighting>& seen);
  void scan(Scan& scan, const std::string& key);
  Result<void> scan_directory(Scan& scan, const std::string& key);
  std::vector<FileIdentity> directories_above(const Place& place) const;
  void remove_watches(std::size_t root, std::string_view below);

  void apply_at(const Place& place, const Happening& happening, std::vector<Sighting>& seen);
  void file_arrived(const WatchedFile& file, std::uint32_t mask, std::vector<Sighting>& seen);
  void directory_arrived(const Place& place, std::uint32_t mask, std::vector<Sighting>& seen);
  void directory_left(const Place& place, std::vector<Sighting>& seen);

  FileHandle m_inotify;
  std::vector<Root> m_roots;
  std::map<int, std::set<Place>> m_places;  // by watch descriptor
};

}  // namespace repoupdate
