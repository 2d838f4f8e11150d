// SPDX-License-Identifier: Apache-2.0
// A directory that behaves like a bucket: the key is the path below it.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>

#include "model/object_store.hpp"

namespace repoupdate {

class StagedFile;

// A key with an empty, "." or ".." part, a NUL, a leading '/' or one of our own temporary names is
// ErrorKind::invalid. Symbolic links are followed for reading, also out of the directory: package pools are
// often linked together. Writing replaces a link by a file and leaves its target alone.
//
// A put is written beside its place, synced and renamed. Puts and removes of all processes take turns at the
// lock file `.repoupdate.lock` (flock(2)), which makes the conditions of PutOptions hold between them; other
// programs that write here do not know the lock. The ETag is made of device, inode, size and times.
//
// A directory that does not exist is ErrorKind::no_store, and a link whose target is gone ErrorKind::unavailable:
// neither proves that an object was removed (I14).
class DirectoryStore final : public ObjectStore {
public:
  explicit DirectoryStore(const std::filesystem::path& root);  // absolute

  // Makes the directory and those above it. Nothing else here does: a disk that is not mounted must not be
  // mistaken for an empty repository.
  Result<void> create_root();

  std::string name() const override { return m_root; }
  bool is_local() const override { return true; }
  Result<ObjectInfo> head(std::string_view key) override;  // never has a sha256
  Result<Object> get(std::string_view key, const GetOptions& options, std::uint64_t limit) override;
  // ErrorKind::unavailable, or precondition_failed under if_match, when the file is written to meanwhile.
  Result<ObjectInfo> read(std::string_view key, const GetOptions& options, const ByteSink& sink) override;
  // The open file: it stays readable when the object is replaced or removed. Needs this store no longer.
  Result<SharedBytes> open(std::string_view key) override;
  // content_type and cache_control have no meaning here.
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutOptions& options) override;
  Result<ObjectInfo> put(std::string_view key, const StoredBytes& body, const PutOptions& options) override;
  // A file that is the object already, by whatever name, is left as it is: success under any condition.
  // ErrorKind::corrupt when the file does not have options.sha256.
  Result<ObjectInfo> put_file(std::string_view key, const std::filesystem::path& file, const PutOptions& options,
                              const UploadProgress& progress) override;
  Result<void> remove(std::string_view key,
                      const RemoveOptions& options) override;  // directories that become empty stay
  // Hidden names (is_hidden) are left out; `next` is the last key of the page.
  Result<ListPage> list(std::string_view prefix, std::string_view continuation) override;
  Result<ListPage> list_after(std::string_view prefix, std::string_view after, std::size_t at_most) override;

private:
  Result<std::string> path_of(std::string_view key) const;
  std::optional<Error> unproven_absence(std::string_view key) const;
  Error explain(Error error, std::string_view key) const;
  Result<struct stat> look_at(std::string_view key) const;
  Result<StagedFile> stage(std::string_view key) const;
  Result<ObjectInfo> put_body(std::string_view key, const StoredBytes& body, const PutOptions& options,
                              const UploadProgress& progress) const;
  Result<void> check_condition(std::string_view key, const PutOptions& options) const;
  Result<ObjectInfo> publish(StagedFile& staged, std::string_view key, const PutOptions& options,
                             const std::string& sha256) const;

  std::string m_root;  // without a trailing slash
};

}  // namespace repoupdate
