// SPDX-License-Identifier: Apache-2.0
#include "io/directory_watch.hpp"

#include <dirent.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "io/directory_listing.hpp"

namespace repoupdate {
namespace {

constexpr std::uint32_t k_departure = IN_DELETE | IN_MOVED_FROM;
constexpr std::uint32_t k_watched = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | k_departure | IN_DELETE_SELF |
                                    IN_MOVE_SELF |  // wake us up to look at the root
                                    IN_ONLYDIR;
constexpr std::size_t k_buffer = std::size_t{64} << 10;

bool is_ignored(std::string_view name) {
  return is_hidden(name) || name == "repodata";
}
bool is_package(std::string_view name) {
  return name.ends_with(".rpm");
}

Error watch_error(int code, const std::string& path) {
  if (code != ENOSPC) return errno_error(code, path);
  return {
      ErrorKind::no_space, path + ": too many directories to watch: raise the sysctl fs.inotify.max_user_watches", {}};
}

}  // namespace

Result<std::unique_ptr<DirectoryWatch>> DirectoryWatch::open(std::vector<std::string> roots) {
  FileHandle inotify(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (inotify.get() < 0 && errno == EMFILE)
    return Error{ErrorKind::no_space, "too many watchers: raise the sysctl fs.inotify.max_user_instances", {}};
  if (inotify.get() < 0) return errno_error(errno, "inotify");
  return std::unique_ptr<DirectoryWatch>(new DirectoryWatch(std::move(inotify), std::move(roots)));
}

DirectoryWatch::DirectoryWatch(FileHandle inotify, std::vector<std::string> roots) : m_inotify(std::move(inotify)) {
  for (std::string& path : roots) m_roots.push_back({std::move(path), {}, {}, {}});
}

std::vector<Sighting> DirectoryWatch::restore() {
  std::vector<Sighting> seen;
  for (std::size_t number = 0; number < m_roots.size(); ++number) {
    Root& root = m_roots[number];
    struct stat status {};
    const int code = ::stat(root.path.c_str(), &status) != 0 ? errno : S_ISDIR(status.st_mode) ? 0 : ENOTDIR;
    const bool is_same = code == 0 && root.identity == identity_of(status);
    if (is_same && !root.problem) continue;
    if (!is_same) remove_watches(number, "");
    root.identity.reset();
    if (code == ENOENT || code == ENOTDIR) {
      root.problem = Error{ErrorKind::unavailable, "the directory " + root.path + " is not there", {}};
    } else if (code != 0) {
      root.problem = errno_error(code, root.path);
    } else {
      root.identity = identity_of(status);
      rescan(number, seen);
    }
  }
  return seen;
}

std::optional<Error> DirectoryWatch::problem() const {
  for (const Root& root : m_roots)
    if (root.problem) return root.problem;
  return std::nullopt;
}

void DirectoryWatch::rescan(std::size_t root, std::vector<Sighting>& seen) {
  Root& here = m_roots[root];
  std::set<std::string> before = std::exchange(here.known, {});
  Scan whole{root, Sighting::Kind::found, {}, {}, {}};
  scan(whole, "");
  here.problem = std::move(whole.problem);
  if (here.problem) {
    here.known.merge(before);
    return;
  }
  std::move(whole.seen.begin(), whole.seen.end(), std::back_inserter(seen));
  for (const std::string& key : before)
    if (!here.known.contains(key)) seen.push_back({{root, key}, Sighting::Kind::gone});
}

// One directory that cannot be read does not keep the others from being watched. One that went away meanwhile
// is no problem, but for the root.
void DirectoryWatch::scan(Scan& scan, const std::string& key) {
  auto scanned = scan_directory(scan, key);
  const bool is_problem = !scanned && (key.empty() || scanned.error().kind != ErrorKind::not_found);
  if (is_problem && !scan.problem) scan.problem = std::move(scanned).error();
}

Result<void> DirectoryWatch::scan_directory(Scan& scan, const std::string& key) {
  Root& root = m_roots[scan.root];
  const std::string path = root.path + '/' + key;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return errno_error(errno, path);
  if (std::find(scan.above.begin(), scan.above.end(), identity_of(status)) != scan.above.end()) return {};
  if (scan.above.size() == k_max_directory_depth)
    return Error{ErrorKind::invalid, path + ": directories are nested deeper than 100", {}};
  // Watched first and read then: a file may be seen twice, but is never missed.
  const int watch = ::inotify_add_watch(m_inotify.get(), path.c_str(), k_watched);
  if (watch < 0) return watch_error(errno, path);
  m_places[watch].insert({scan.root, key});
  const auto entries = read_directory(path, [](std::string_view name) { return !is_ignored(name); });
  if (!entries) return entries.error();
  scan.above.push_back(identity_of(status));
  for (const DirectoryEntry& entry : *entries) {
    if (entry.type == DirectoryEntry::Type::directory) this->scan(scan, key + entry.name + '/');
    if (entry.type != DirectoryEntry::Type::file || !is_package(entry.name)) continue;
    root.known.insert(key + entry.name);
    scan.seen.push_back({{scan.root, key + entry.name}, scan.kind});
  }
  scan.above.pop_back();
  return {};
}

std::vector<FileIdentity> DirectoryWatch::directories_above(const Place& place) const {
  std::vector<FileIdentity> above;
  struct stat status {};
  for (std::size_t end = 0; end != std::string::npos; end = place.key.find('/', end + 1)) {
    if (end + 1 == place.key.size()) break;  // the place itself
    const std::string path = m_roots[place.root].path + '/' + place.key.substr(0, end);
    if (::stat(path.c_str(), &status) == 0) above.push_back(identity_of(status));
  }
  return above;
}

void DirectoryWatch::remove_watches(std::size_t root, std::string_view below) {
  for (auto next = m_places.begin(); next != m_places.end();) {
    auto& [watch, places] = *next;
    std::erase_if(places, [&](const Place& place) { return place.root == root && place.key.starts_with(below); });
    if (places.empty()) {
      ::inotify_rm_watch(m_inotify.get(),
                         watch);  // fails when the directory was deleted: then it is gone already
      next = m_places.erase(next);
    } else {
      ++next;
    }
  }
}

std::vector<Sighting> DirectoryWatch::drain() {
  std::vector<Sighting> seen;
  bool overflowed = false;
  alignas(inotify_event) std::array<char, k_buffer> buffer;
  while (true) {
    const ssize_t got = ::read(m_inotify.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    for (const char* at = buffer.data(); at < buffer.data() + got;) {
      inotify_event event;
      std::memcpy(&event, at, sizeof event);
      const char* name = at + sizeof event;  // padded with NULs
      at = name + event.len;
      overflowed = overflowed || (event.mask & IN_Q_OVERFLOW) != 0;
      const auto watched = m_places.find(event.wd);
      if (watched == m_places.end()) continue;
      const auto places = watched->second;  // a copy: what happened may change where directories are
      if ((event.mask & IN_IGNORED) != 0) m_places.erase(watched);
      if (event.len == 0) continue;  // about the directory itself: its parent tells the same by name
      for (const Place& place : places) apply_at(place, {event.mask, std::string_view(name)}, seen);
    }
  }
  for (std::size_t root = 0; overflowed && root < m_roots.size(); ++root) {
    remove_watches(root, "");
    if (m_roots[root].identity) rescan(root, seen);
  }
  return seen;
}

void DirectoryWatch::apply_at(const Place& place, const Happening& happening, std::vector<Sighting>& seen) {
  if (is_ignored(happening.name)) return;
  WatchedFile file{place.root, place.key + std::string(happening.name)};
  const bool left = (happening.mask & k_departure) != 0;
  if ((happening.mask & IN_ISDIR) == 0 && is_package(happening.name)) {
    if (!left) return file_arrived(file, happening.mask, seen);
    m_roots[file.root].known.erase(file.key);
    seen.push_back({std::move(file), Sighting::Kind::gone});
    return;
  }
  // Anything else matters only if it is a directory, or a link to one, which the kernel does not call so.
  const Place directory{file.root, file.key + '/'};
  if (left) directory_left(directory, seen);
  if ((happening.mask & (IN_CREATE | IN_MOVED_TO)) != 0) directory_arrived(directory, happening.mask, seen);
}

void DirectoryWatch::file_arrived(const WatchedFile& file, std::uint32_t mask, std::vector<Sighting>& seen) {
  Sighting::Kind kind = Sighting::Kind::complete;
  if ((mask & IN_CREATE) != 0) {
    struct stat status {};
    if (::lstat(path(file).c_str(), &status) != 0) return;  // gone again, which is told as well
    const bool has_no_writer = S_ISLNK(status.st_mode) || status.st_nlink > 1;
    kind = has_no_writer ? Sighting::Kind::found : Sighting::Kind::created;
  }
  m_roots[file.root].known.insert(file.key);
  seen.push_back({file, kind});
}

void DirectoryWatch::directory_arrived(const Place& place, std::uint32_t mask, std::vector<Sighting>& seen) {
  struct stat status {};
  const std::string path = m_roots[place.root].path + '/' + place.key;
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  const bool moved = (mask & IN_MOVED_TO) != 0;
  Scan below{place.root, moved ? Sighting::Kind::complete : Sighting::Kind::found, directories_above(place), {}, {}};
  scan(below, place.key);
  std::move(below.seen.begin(), below.seen.end(), std::back_inserter(seen));
  if (below.problem) m_roots[place.root].problem = std::move(below.problem);
}

void DirectoryWatch::directory_left(const Place& place, std::vector<Sighting>& seen) {
  remove_watches(place.root, place.key);
  auto& known = m_roots[place.root].known;
  for (auto next = known.lower_bound(place.key); next != known.end() && next->starts_with(place.key);) {
    seen.push_back({{place.root, *next}, Sighting::Kind::gone});
    next = known.erase(next);
  }
}

}  // namespace repoupdate
