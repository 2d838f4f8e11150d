// SPDX-License-Identifier: Apache-2.0
// The files below a directory as an object store would list them: by key, in the order of the keys' bytes.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

inline constexpr std::size_t k_max_directory_depth = 100;

// Names that are nobody's object: they begin with '.', or are the file system's own lost+found.
bool is_hidden(std::string_view name);

struct DirectoryEntry {
  enum class Type {
    file,       // whatever is not one of the others
    directory,  // or a symbolic link to one
    dangling    // a symbolic link to something that is not there
  };
  std::string name;
  Type type = Type::file;
};

// The entries of one directory, in no order, whose name `wanted` accepts. ErrorKind::not_found when there is no
// such directory.
Result<std::vector<DirectoryEntry>> read_directory(const std::string& path,
                                                   const std::function<bool(std::string_view name)>& wanted);

struct ListedFile {
  std::string key;  // the path below the root, with '/' between its parts
  struct stat status;
};

// The first `limit` regular files whose key starts with `prefix` and sorts behind `after`. Symbolic links count
// as what they point to; a linked directory that contains itself is entered once.
// Nothing is left out because it could not be read (I14): a root that is not there is ErrorKind::no_store, a
// link that points nowhere is ErrorKind::unavailable (what hangs below it may be unmounted), a directory that
// may not be read is ErrorKind::denied.
Result<std::vector<ListedFile>> list_files(const std::string& root, std::string_view prefix, std::string_view after,
                                           std::size_t limit);

// The failures that the above and every other reader of a directory share.
Error missing_root(const std::string& root);
Error dangling_link(const std::string& path);

}  // namespace repoupdate
