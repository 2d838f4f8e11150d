// SPDX-License-Identifier: Apache-2.0
#include "io/directory_store.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <span>
#include <utility>

#include "base/hash.hpp"
#include "io/directory_listing.hpp"
#include "io/file_bytes.hpp"
#include "io/posix_file.hpp"
#include "io/staged_file.hpp"

namespace repoupdate {
namespace {

constexpr std::size_t k_page = 10'000;  // each page reads the names of the directory again
constexpr std::string_view k_lock_name = ".repoupdate.lock";

bool is_reserved(std::string_view part) {
  return part == k_lock_name || part.starts_with(k_staged_prefix);
}

bool is_valid_key(std::string_view key) {
  if (key.empty() || key.find('\0') != std::string_view::npos) return false;
  while (true) {
    const auto slash = key.find('/');
    const auto part = key.substr(0, slash);
    if (part.empty() || part == "." || part == ".." || is_reserved(part)) return false;
    if (slash == std::string_view::npos) return true;
    key.remove_prefix(slash + 1);
  }
}

ObjectInfo describe(std::string_view key, const struct stat& status) {
  const auto number = [](auto value) { return std::to_string(value) + '-'; };
  const std::string version = number(status.st_dev) + number(status.st_ino) + number(status.st_size) +
                              number(modified_nanoseconds(status)) + number(status.st_ctim.tv_sec) +
                              std::to_string(status.st_ctim.tv_nsec);
  return {std::string(key), static_cast<std::uint64_t>(status.st_size), ETag{'"' + version + '"'},
          SystemTime(std::chrono::seconds(status.st_mtim.tv_sec)), std::nullopt};
}

Error no_such_object(std::string_view key) {
  return {ErrorKind::not_found, std::string(key) + ": no such file", {}};
}

Error failed_condition(std::string_view key) {
  return {ErrorKind::precondition_failed, std::string(key) + ": somebody else changed it meanwhile", {}};
}

// Held until destroyed; each holder has its own open file, so that threads take turns as processes do.
Result<FileHandle> lock_directory(const std::string& root) {
  const std::string path = root + '/' + std::string(k_lock_name);
  auto lock = open_file(path, O_RDWR | O_CREAT, path, 0644);  // NFS locks only what is open for writing
  if (lock.failed_with(ErrorKind::denied)) {
    auto of_another_user = open_file(path, O_RDONLY, path);
    if (of_another_user) lock = std::move(of_another_user);
  }
  if (!lock) return lock;
  while (::flock(lock->get(), LOCK_EX) != 0)
    if (errno != EINTR) return errno_error(errno, path);
  return lock;
}

// An object that is open for reading, and the part of it that is wanted.
struct Reading {
  std::shared_ptr<const FileBytes> file;
  ObjectInfo info;
  ByteRange part;
};

Result<Reading> open_reading(const std::string& path, std::string_view key, const GetOptions& options) {
  // Without O_NONBLOCK a FIFO of that name would hold us up until somebody writes to it.
  auto file = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, path);
  if (!file) return std::move(file).error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return errno_error(errno, path);
  if (!S_ISREG(status.st_mode)) return no_such_object(key);
  Reading reading{
      std::make_shared<const FileBytes>(*std::move(file), status, std::string(key)), describe(key, status), {}};
  if (options.if_match && *options.if_match != reading.info.etag) return failed_condition(key);
  if (options.if_none_match && *options.if_none_match == reading.info.etag) return failed_condition(key);
  reading.part = options.range.value_or(ByteRange{0, reading.info.size});
  reading.part.first = std::min(reading.part.first, reading.info.size);
  reading.part.length = std::min(reading.part.length, reading.info.size - reading.part.first);
  return reading;
}

// A file is not a snapshot: whoever writes into it in place is noticed at the end, before anybody relies on
// what was delivered.
Result<void> deliver(const Reading& reading, const GetOptions& options, const ByteSink& sink) {
  const auto failed = [&](Error error) {
    const bool changed = error.kind == ErrorKind::precondition_failed;
    if (changed && !options.if_match) error.kind = ErrorKind::unavailable;  // no condition was given
    return error;
  };
  std::string piece(static_cast<std::size_t>(std::min(k_local_piece, reading.part.length)), '\0');
  for (std::uint64_t done = 0; done < reading.part.length;) {
    const std::uint64_t wanted = std::min<std::uint64_t>(piece.size(), reading.part.length - done);
    const auto bytes = std::span(piece).first(static_cast<std::size_t>(wanted));
    if (auto got = reading.file->read(reading.part.first + done, bytes); !got) return failed(std::move(got).error());
    if (auto taken = sink({bytes.data(), bytes.size()}); !taken) return taken;
    done += wanted;
  }
  if (auto same = reading.file->check_unchanged(); !same) return failed(std::move(same).error());
  return {};
}

Error wrong_digest(std::string_view what) {
  return {ErrorKind::corrupt, std::string(what) + ": its bytes do not have the SHA-256 that was given", {}};
}

}  // namespace

DirectoryStore::DirectoryStore(const std::filesystem::path& root) : m_root(root.string()) {
  while (m_root.size() > 1 && m_root.ends_with('/')) m_root.pop_back();
}

Result<void> DirectoryStore::create_root() {
  std::error_code failure;
  std::filesystem::create_directories(m_root, failure);
  if (failure) return errno_error(failure.value(), m_root);
  return {};
}

Result<std::string> DirectoryStore::path_of(std::string_view key) const {
  if (!is_valid_key(key))
    return Error{ErrorKind::invalid, "'" + std::string(key.substr(0, key.find('\0'))) + "' is no key in " + m_root, {}};
  return m_root + '/' + std::string(key);
}

// ENOENT proves that there is no such file only when the root is there, and no link on the way leads nowhere.
std::optional<Error> DirectoryStore::unproven_absence(std::string_view key) const {
  struct stat status {};
  const int code = ::stat(m_root.c_str(), &status) == 0 ? 0 : errno;
  if (code == ENOENT || code == ENOTDIR || (code == 0 && !S_ISDIR(status.st_mode))) return missing_root(m_root);
  if (code != 0) return errno_error(code, m_root);
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = key.find('/', end + 1);
    const std::string path = m_root + '/' + std::string(key.substr(0, end));
    const bool is_link = ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
    if (is_link && ::stat(path.c_str(), &status) != 0) return dangling_link(path);
  }
  return std::nullopt;
}

Error DirectoryStore::explain(Error error, std::string_view key) const {
  if (error.kind != ErrorKind::not_found) return error;
  if (auto unproven = unproven_absence(key)) return *std::move(unproven);
  return no_such_object(key);
}

Result<struct stat> DirectoryStore::look_at(std::string_view key) const {
  const auto path = path_of(key);
  if (!path) return path.error();
  struct stat status {};
  if (::stat(path->c_str(), &status) != 0) return explain(errno_error(errno, *path), key);
  if (!S_ISREG(status.st_mode)) return no_such_object(key);
  return status;
}

Result<ObjectInfo> DirectoryStore::head(std::string_view key) {
  const auto status = look_at(key);
  if (!status) return status.error();
  return describe(key, *status);
}

Result<Object> DirectoryStore::get(std::string_view key, const GetOptions& options, std::uint64_t limit) {
  const auto path = path_of(key);
  if (!path) return path.error();
  auto reading = open_reading(*path, key, options);
  if (!reading) return explain(std::move(reading).error(), key);
  if (reading->part.length > limit)
    return Error{ErrorKind::invalid, std::string(key) + ": larger than " + std::to_string(limit) + " bytes", {}};
  Object object{reading->info, {}};
  object.bytes.reserve(static_cast<std::size_t>(reading->part.length));
  const auto append = [&](std::string_view bytes) {
    object.bytes += bytes;
    return Result<void>{};
  };
  if (auto delivered = deliver(*reading, options, append); !delivered) return std::move(delivered).error();
  return object;
}

Result<ObjectInfo> DirectoryStore::read(std::string_view key, const GetOptions& options, const ByteSink& sink) {
  const auto path = path_of(key);
  if (!path) return path.error();
  auto reading = open_reading(*path, key, options);
  if (!reading) return explain(std::move(reading).error(), key);
  if (auto delivered = deliver(*reading, options, sink); !delivered) return std::move(delivered).error();
  return reading->info;
}

Result<SharedBytes> DirectoryStore::open(std::string_view key) {
  const auto path = path_of(key);
  if (!path) return path.error();
  auto reading = open_reading(*path, key, {});
  if (!reading) return explain(std::move(reading).error(), key);
  return SharedBytes(reading->file);
}

// A new file beside the object's place, in directories made for it where they are missing.
Result<StagedFile> DirectoryStore::stage(std::string_view key) const {
  const auto failed = [&](Error error) {
    if (error.kind != ErrorKind::not_found) return error;
    if (auto unproven = unproven_absence(key)) return *std::move(unproven);
    return Error{ErrorKind::invalid, std::string(key) + ": a part of its path is not a directory", {}};
  };
  std::string directory = m_root;
  for (std::size_t end = key.find('/'); end != std::string_view::npos; end = key.find('/', end + 1)) {
    const std::string above = std::exchange(directory, m_root + '/' + std::string(key.substr(0, end)));
    if (::mkdir(directory.c_str(), 0755) == 0) {
      if (auto synced = sync_directory(above); !synced) return failed(std::move(synced).error());
    } else if (errno != EEXIST) {
      return failed(errno_error(errno, directory));
    }
  }
  auto staged = StagedFile::create(directory);
  if (!staged) return failed(std::move(staged).error());
  return staged;
}

Result<void> DirectoryStore::check_condition(std::string_view key, const PutOptions& options) const {
  if (!options.if_absent && !options.if_match) return {};
  auto status = look_at(key);
  if (!status && status.error().kind != ErrorKind::not_found) return std::move(status).error();
  const bool holds = options.if_absent ? !status : status && describe(key, *status).etag == *options.if_match;
  return holds ? Result<void>{} : failed_condition(key);
}

Result<ObjectInfo> DirectoryStore::publish(StagedFile& staged, std::string_view key, const PutOptions& options,
                                           const std::string& sha256) const {
  if (auto synced = staged.sync(); !synced) return std::move(synced).error();
  const std::string path = m_root + '/' + std::string(key);
  ObjectInfo info;
  {
    const auto lock = lock_directory(m_root);
    if (!lock) return lock.error();
    if (auto held = check_condition(key, options); !held) return std::move(held).error();
    const auto status = staged.publish(path);
    if (!status) return status.error();
    info = describe(key, *status);
  }
  if (auto synced = sync_directory(path.substr(0, path.rfind('/'))); !synced) return std::move(synced).error();
  info.sha256 = sha256;
  return info;
}

Result<ObjectInfo> DirectoryStore::put(std::string_view key, std::string_view bytes, const PutOptions& options) {
  if (const auto path = path_of(key); !path) return path.error();
  const std::string sha256 = sha256_hex(bytes);
  if (!options.sha256.empty() && options.sha256 != sha256) return wrong_digest(key);
  auto staged = stage(key);
  if (!staged) return std::move(staged).error();
  if (auto written = staged->write(bytes); !written) return std::move(written).error();
  return publish(*staged, key, options, sha256);
}

Result<ObjectInfo> DirectoryStore::put(std::string_view key, const StoredBytes& body, const PutOptions& options) {
  return put_body(key, body, options, {});
}

Result<ObjectInfo> DirectoryStore::put_file(std::string_view key, const std::filesystem::path& file,
                                            const PutOptions& options, const UploadProgress& progress) {
  if (const auto path = path_of(key); !path) return path.error();
  const auto source = FileBytes::open(file);
  if (!source) return source.error();
  if (const auto there = look_at(key); there && identity_of(*there) == (*source)->identity()) {
    if (progress) progress((*source)->size());
    return describe(key, *there);
  }
  return put_body(key, **source, options, progress);
}

Result<ObjectInfo> DirectoryStore::put_body(std::string_view key, const StoredBytes& body, const PutOptions& options,
                                            const UploadProgress& progress) const {
  if (const auto path = path_of(key); !path) return path.error();
  if (auto given = check_sha256_given(key, options); !given) return std::move(given).error();
  auto staged = stage(key);
  if (!staged) return std::move(staged).error();
  Hasher hasher(HashType::sha256);
  std::uint64_t done = 0;
  const auto copied = read_through(body, [&](std::string_view piece) {
    hasher.update(piece);
    auto written = staged->write(piece);
    done += piece.size();
    if (written && progress) progress(done);
    return written;
  });
  if (!copied) return unreadable_body(copied.error());
  if (hasher.finish_hex() != options.sha256) return wrong_digest(key);
  return publish(*staged, key, options, options.sha256);
}

Result<void> DirectoryStore::remove(std::string_view key, const RemoveOptions&) {
  const auto path = path_of(key);
  if (!path) return path.error();
  const auto lock = lock_directory(m_root);
  if (!lock) return explain(lock.error(), key);
  if (::unlink(path->c_str()) == 0 || errno == EISDIR) return {};
  if (errno != ENOENT && errno != ENOTDIR) return errno_error(errno, *path);
  if (auto unproven = unproven_absence(key)) return *std::move(unproven);
  return {};
}

Result<ListPage> DirectoryStore::list(std::string_view prefix, std::string_view continuation) {
  return list_after(prefix, continuation, k_page);
}

Result<ListPage> DirectoryStore::list_after(std::string_view prefix, std::string_view after, std::size_t at_most) {
  const std::size_t most = std::min(at_most, k_page);
  auto files = list_files(m_root, prefix, after, most + 1);
  if (!files) return std::move(files).error();
  ListPage page;
  const bool more = files->size() > most;
  if (more) files->pop_back();
  page.objects.reserve(files->size());
  for (const ListedFile& file : *files) page.objects.push_back(describe(file.key, file.status));
  if (more) page.next = page.objects.back().key;
  return page;
}

}  // namespace repoupdate
