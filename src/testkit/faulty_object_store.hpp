// SPDX-License-Identifier: Apache-2.0
// A store whose calls fail as a test says, around one that works.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "model/object_store.hpp"

namespace repoupdate {

// How one call fails. What is tried again within a store has been: this is how it ends for the caller. A removal whose
// answer is lost, and that may be sent again, has its effect twice.
enum class Fault {
  none,
  reset_before,               // the connection, before the call had its effect; also 500, and 200 with an error inside
  reset_after,                // the call had its effect, and the answer is lost
  timeout_before,             //
  timeout_after,              //
  denied,                     // 403
  not_found,                  // 404
  no_store,                   // 404 of the bucket
  precondition_failed,        // 412
  precondition_failed_after,  // of a repetition, after the first try had its effect
  conflict,                   // 409
  conflict_after,             //
  throttled,                  // 503
  refused,                    // 400: what arrived was not what was sent
  truncated,                  // some of the bytes, then a reset
  cut_short,                  // some of the bytes, as if they were all
  wrong_bytes,                // one byte is another one
  killed,                     // the process, before the call had its effect: nothing it does has any from then on
  killed_after,               // the process, after that
};
std::string_view to_string(Fault fault);

// All but `none`, and but those two that end everything.
inline constexpr std::array k_faults{Fault::reset_before,
                                     Fault::reset_after,
                                     Fault::timeout_before,
                                     Fault::timeout_after,
                                     Fault::denied,
                                     Fault::not_found,
                                     Fault::no_store,
                                     Fault::precondition_failed,
                                     Fault::precondition_failed_after,
                                     Fault::conflict,
                                     Fault::conflict_after,
                                     Fault::throttled,
                                     Fault::refused,
                                     Fault::truncated,
                                     Fault::cut_short,
                                     Fault::wrong_bytes};

// Whether a call, by its name, can fail like that.
bool is_possible(Fault fault, std::string_view call);

// Keeps ObjectStore's promises about bytes: those of a whole object whose SHA-256 the store knows never arrive wrong
// without an Error. The store around which it stands must outlive it.
class FaultyObjectStore final : public ObjectStore {
public:
  explicit FaultyObjectStore(ObjectStore& store) : m_store(store) {}

  // Asked before each call, from any thread, never two at once. A call is named as MemoryObjectStore names requests;
  // when it comes again, " (2)" follows, and so on: that names the same call in each run, whatever runs beside it.
  std::function<Fault(const std::string& call)> on_call;
  // Called after everything that may have changed the store, from any thread, never two at once.
  std::function<void(const std::string& call)> after_effect;
  // Where in the bytes they are cut, or wrong: 0 is the first, 1 the last.
  double where = 0.5;

  std::vector<std::string> calls() const;  // in the order in which they came
  bool is_dead() const;                    // killed
  // As a new process: nothing has been asked, nobody has been killed.
  void restart();

  std::string name() const override { return m_store.name(); }
  bool is_local() const override { return m_store.is_local(); }
  Result<StoreAbilities> abilities(std::string_view prefix) override { return m_store.abilities(prefix); }
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
  struct Course;
  Course admit(std::string call);
  template <typename Answer, typename Work>
  Result<Answer> look(std::string call, const Work& work);
  // What is sent again within a store when its answer is lost. Of puts only the first has an effect.
  enum class Repeated { never, unless_answered };
  template <typename Answer, typename Work>
  Result<Answer> change(std::string call, const Work& work, Repeated repeated = Repeated::never);

  ObjectStore& m_store;
  mutable std::mutex m_mutex;
  std::mutex m_effects;
  std::map<std::string, int> m_counts;
  std::vector<std::string> m_calls;
  bool m_dead = false;
};

}  // namespace repoupdate
