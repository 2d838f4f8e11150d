// SPDX-License-Identifier: Apache-2.0
#include "io/directory_listing.hpp"

#include <dirent.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>

#include "io/posix_file.hpp"

namespace repoupdate {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

// A link counts as its target. Nothing when the entry went away meanwhile.
Result<std::optional<DirectoryEntry::Type>> resolve(const std::string& path) {
  using Type = DirectoryEntry::Type;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return std::optional(S_ISDIR(status.st_mode) ? Type::directory : Type::file);
  if (errno != ENOENT) return errno_error(errno, path);
  if (::lstat(path.c_str(), &status) == 0) return std::optional(Type::dangling);
  return std::optional<Type>();
}

// Keys are compared whole, so a directory sorts by its name with the '/' behind it: "a.rpm", "a/x", "a0.rpm".
// With that, walking each directory in order gives all keys in order, and a page needs no more than itself.
class Walk {
public:
  Walk(const std::string& root, std::string_view prefix, std::string_view after, std::size_t limit)
      : m_root(root), m_prefix(prefix), m_after(after), m_limit(limit) {}

  // `key` is empty for the root, else it ends in '/'.
  Result<void> enter(const std::string& key);
  std::vector<ListedFile> take() && { return std::move(m_found); }

private:
  Result<std::vector<std::string>> relevant_names(const std::string& key) const;
  Result<void> visit(const std::string& key);
  bool wants_file(std::string_view key) const { return key.starts_with(m_prefix) && key > m_after; }
  bool wants_directory(std::string_view key) const {
    const bool all_before = key < m_after && !m_after.starts_with(key);
    return !all_before && (key.starts_with(m_prefix) || m_prefix.starts_with(key));
  }
  std::string path(std::string_view key) const { return m_root + '/' + std::string(key); }

  const std::string& m_root;
  std::string_view m_prefix;
  std::string_view m_after;
  std::size_t m_limit;
  std::vector<FileIdentity> m_above;  // the directories we are in
  std::vector<ListedFile> m_found;
};

Result<std::vector<std::string>> Walk::relevant_names(const std::string& key) const {
  const auto wanted = [&](std::string_view name) {
    if (is_hidden(name)) return false;
    if (m_prefix.empty() && m_after.empty()) return true;
    const std::string file = key + std::string(name);
    return wants_file(file) || wants_directory(file + '/');
  };
  std::vector<std::string> names;
  auto entries = read_directory(path(key), wanted);
  if (entries.failed_with(ErrorKind::not_found)) {
    if (key.empty()) return missing_root(m_root);
    return names;  // removed since it was seen
  }
  if (!entries) return std::move(entries).error();
  for (DirectoryEntry& entry : *entries) {
    if (entry.type == DirectoryEntry::Type::dangling) return dangling_link(path(key + entry.name));
    const bool is_directory = entry.type == DirectoryEntry::Type::directory;
    if (is_directory) entry.name += '/';
    if (is_directory ? wants_directory(key + entry.name) : wants_file(key + entry.name))
      names.push_back(std::move(entry.name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<void> Walk::enter(const std::string& key) {
  struct stat status {};
  if (::stat(path(key).c_str(), &status) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) return errno_error(errno, path(key));
    if (key.empty()) return missing_root(m_root);
    return {};
  }
  if (std::find(m_above.begin(), m_above.end(), identity_of(status)) != m_above.end()) return {};
  if (m_above.size() == k_max_directory_depth)
    return Error{ErrorKind::invalid, path(key) + ": directories are nested deeper than 100", {}};
  auto names = relevant_names(key);
  if (!names) return std::move(names).error();
  m_above.push_back(identity_of(status));
  for (const std::string& name : *names) {
    if (m_found.size() == m_limit) break;
    if (auto visited = visit(key + name); !visited) return visited;
  }
  m_above.pop_back();
  return {};
}

Result<void> Walk::visit(const std::string& key) {
  if (key.ends_with('/')) return enter(key);
  ListedFile file{key, {}};
  if (::stat(path(key).c_str(), &file.status) != 0) {
    if (errno != ENOENT) return errno_error(errno, path(key));
    return {};
  }
  if (S_ISREG(file.status.st_mode)) m_found.push_back(std::move(file));
  return {};
}

}  // namespace

Result<std::vector<DirectoryEntry>> read_directory(const std::string& path,
                                                   const std::function<bool(std::string_view name)>& wanted) {
  const DirectoryStream stream(::opendir(path.c_str()));
  if (!stream) return errno_error(errno, path);
  std::vector<DirectoryEntry> entries;
  while (true) {
    errno = 0;  // the only way to tell the end from a failure
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) break;
    DirectoryEntry found{entry->d_name, DirectoryEntry::Type::file};
    if (found.name == "." || found.name == ".." || !wanted(found.name)) continue;
    if (entry->d_type == DT_DIR) found.type = DirectoryEntry::Type::directory;
    if (entry->d_type == DT_LNK || entry->d_type == DT_UNKNOWN) {
      const auto type = resolve(path + '/' + found.name);
      if (!type) return type.error();
      if (!*type) continue;
      found.type = **type;
    }
    entries.push_back(std::move(found));
  }
  if (errno != 0) return errno_error(errno, path);
  return entries;
}

bool is_hidden(std::string_view name) {
  return name.starts_with('.') || name == "lost+found";
}

Error missing_root(const std::string& root) {
  return {ErrorKind::no_store, "the directory " + root + " does not exist", {}};
}

Error dangling_link(const std::string& path) {
  return {ErrorKind::unavailable,
          path + " is a symbolic link to something that is not there: mount or restore it, or remove the link",
          {}};
}

Result<std::vector<ListedFile>> list_files(const std::string& root, std::string_view prefix, std::string_view after,
                                           std::size_t limit) {
  Walk walk(root, prefix, after, limit);
  if (auto walked = walk.enter(""); !walked) return std::move(walked).error();
  return std::move(walk).take();
}

}  // namespace repoupdate
