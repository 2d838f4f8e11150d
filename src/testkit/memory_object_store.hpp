// SPDX-License-Identifier: Apache-2.0
// A store in memory that keeps the promises of ObjectStore and writes down every request, so that a test
// can say what a change costs.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "model/object_store.hpp"

namespace repoupdate {

class MemoryObjectStore final : public ObjectStore {
public:
  struct Stored {
    std::string bytes;
    ETag etag;
    SystemTime last_modified;
    PutOptions options;        // as it was put
    bool knows_sha256 = true;  // false: as if uploaded by a tool that records no SHA-256
    std::string sha256;        // of the bytes, in lower-case hex
  };

  // "HEAD key", "GET key", "GET key 0+4096" (get() or read() of a range), "READ key", "PUT key", "DELETE key",
  // "LIST prefix", "UPLOADS prefix", "DROP key id".
  std::vector<std::string> requests() const;
  void forget_requests();

  // Puts an object there without a request, as somebody else would; returns its ETag.
  ETag place(const std::string& key, std::string bytes, SystemTime last_modified, bool knows_sha256 = true);
  void drop(const std::string& key);
  // An upload in parts that somebody begins and does not end.
  void begin_upload(const PendingUpload& upload);
  std::map<std::string, Stored> contents() const;
  // As it was when contents() said that.
  void restore(std::map<std::string, Stored> contents);

  // Called before each request takes effect, without a lock held: a place to change the world, or to answer
  // with a failure instead.
  std::function<Result<void>(const std::string& request)> before;

  // Called with what each removal was asked to be like, before it takes effect.
  std::function<void(const std::string& key, const RemoveOptions& options)> on_remove;

  // Called with the bytes that answer a get(), to change them on their way.
  std::function<void(const std::string& request, std::string& bytes)> on_the_way;

  // From now on open() answers as a directory does: with what stays readable, and costs no request. Else as a bucket:
  // a HEAD, then a GET for each range, as long as the object is the same.
  void set_local() { m_is_local = true; }

  // From now on conditions of PUTs are treated like this, and abilities() says so. `refused` answers unsupported.
  void set_conditions(Condition conditions) { m_conditions = conditions; }
  // The store's own time; by default it moves one second with each PUT, and answers do not tell it.
  std::function<SystemTime()> time;

  std::string name() const override { return "memory"; }
  Result<StoreAbilities> abilities(std::string_view) override {
    return StoreAbilities{m_conditions, m_conditions, false, m_conditions};
  }
  bool is_local() const override { return m_is_local; }
  Result<ObjectInfo> head(std::string_view key) override;
  Result<Object> get(std::string_view key, const GetOptions& options, std::uint64_t limit) override;
  Result<ObjectInfo> read(std::string_view key, const GetOptions& options, const ByteSink& sink) override;
  Result<SharedBytes> open(std::string_view key) override;
  Result<ObjectInfo> put(std::string_view key, std::string_view bytes, const PutOptions& options) override;
  Result<ObjectInfo> put(std::string_view key, const StoredBytes& body, const PutOptions& options) override;
  Result<ObjectInfo> put_file(std::string_view key, const std::filesystem::path& file, const PutOptions& options,
                              const UploadProgress& progress) override;
  Result<void> remove(std::string_view key, const RemoveOptions& options) override;
  Result<ListPage> list(std::string_view prefix, std::string_view continuation) override;
  Result<ListPage> list_after(std::string_view prefix, std::string_view after, std::size_t at_most) override;
  Result<UploadPage> list_uploads(std::string_view prefix, std::string_view continuation) override;
  Result<void> drop_upload(const PendingUpload& upload) override;

private:
  Result<void> record(std::string request);
  Result<Object> fetch(std::string_view key, const GetOptions& options) const;
  ListPage page_after(std::string_view prefix, std::string_view after, std::size_t at_most) const;
  ObjectInfo describe(const std::string& key, const Stored& stored) const;

  mutable std::mutex m_mutex;
  std::map<std::string, Stored> m_objects;
  std::map<std::string, PendingUpload> m_uploads;  // by key, a line break, and id
  std::vector<std::string> m_requests;
  std::uint64_t m_versions = 0;
  std::atomic<bool> m_is_local = false;
  std::atomic<Condition> m_conditions = Condition::honoured;
};

}  // namespace repoupdate
