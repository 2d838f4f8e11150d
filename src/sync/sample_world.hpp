// SPDX-License-Identifier: Apache-2.0
// A repository in a store whose calls fail as a test says, and a client that looks after everything that changes there.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sync/sample_client.hpp"
#include "sync/update.hpp"
#include "testkit/fake_signer.hpp"
#include "testkit/faulty_object_store.hpp"
#include "testkit/memory_object_store.hpp"
#include "testkit/memory_scratch.hpp"
#include "testkit/package_builder.hpp"

namespace repoupdate {

// The time of the thread that made it moves when that thread sleeps. Others sleep until they are stopped.
class ForegroundClock final : public Clock {
public:
  SystemTime now() const override {
    const std::scoped_lock lock(m_mutex);
    return std::chrono::floor<std::chrono::seconds>(SystemTime(std::chrono::seconds(1'800'000'000)) + m_passed);
  }
  SteadyTime steady() const override {
    const std::scoped_lock lock(m_mutex);
    return SteadyTime(m_passed);
  }
  bool sleep_for(Duration duration, std::stop_token stop) override {
    std::unique_lock lock(m_mutex);
    if (std::this_thread::get_id() != m_foreground) {
      m_never.wait(lock, stop, [] { return false; });
      return false;
    }
    if (stop.stop_requested()) return false;
    m_passed += duration;
    return true;
  }

private:
  const std::thread::id m_foreground = std::this_thread::get_id();
  mutable std::mutex m_mutex;
  std::condition_variable_any m_never;
  Duration m_passed{0};
};

class SampleWorld {
public:
  // The whole of it, as it was at one moment; a world made of that goes on from there.
  struct Snapshot {
    std::map<std::string, MemoryObjectStore::Stored> contents;
    std::optional<RememberedIndex> remembered;
  };

  explicit SampleWorld(Condition conditions = Condition::honoured) {
    store.set_conditions(conditions);
    store.time = [this] { return clock.now(); };
    faulty.after_effect = [this](const std::string&) { look(); };
    repository.policy.requests = 1;
    repository.policy.threads = 1;
    repository.policy.lease.who = "test";
  }
  SampleWorld(const SampleWorld&) = delete;
  SampleWorld& operator=(const SampleWorld&) = delete;

  void place(const std::string& href, const std::string& version = "1", bool knows_sha256 = true,
             std::size_t payload = 64) {
    std::string name = href;
    std::replace(name.begin(), name.end(), '/', '-');
    store.place("r/" + href, build_package({name, "0", version, "1", "noarch"}, payload), clock.now(), knows_sha256);
  }
  void drop(const std::string& href) { store.drop("r/" + href); }

  void sign() { repository.signer = &signer; }
  // What clients that check signatures ask for.
  bool pair_agrees() { return repository.signer == nullptr || client.pair_agrees(signer); }

  // From now on the process remembers what it published.
  void stay_warm() { repository.memory = memory.get(); }
  // The process ends, and another one begins.
  void restart() {
    const bool is_warm = repository.memory != nullptr;
    memory = std::make_unique<RepositoryMemory>(MemoryLimits{});
    if (is_warm) stay_warm();
    faulty.restart();
  }

  Snapshot snapshot() const {
    return {store.contents(),
            repository.memory ? repository.memory->find(repository.name) : std::optional<RememberedIndex>()};
  }
  void restore(const Snapshot& snapshot) {
    store.restore(snapshot.contents);
    if (snapshot.remembered) {
      stay_warm();
      memory->keep(repository.name, *snapshot.remembered);
    }
    look();
  }

  SeenPackages wanted() const { return packages_in(store, repository.prefix); }
  // What the client sees now; `on_look` is told.
  std::optional<SeenPackages> look() {
    const std::scoped_lock lock(m_looks);
    auto seen = client.look();
    if (on_look) on_look(seen);
    return seen;
  }
  std::function<void(const std::optional<SeenPackages>& seen)> on_look;

  ForegroundClock clock;
  MemoryObjectStore store;
  FaultyObjectStore faulty{store};
  MemoryScratch scratch;
  FakeSigner signer;
  std::unique_ptr<RepositoryMemory> memory = std::make_unique<RepositoryMemory>(MemoryLimits{});
  Repository repository{.name = "s3://b/r",
                        .store = &faulty,
                        .scratch = &scratch,
                        .memory = nullptr,
                        .signer = nullptr,
                        .prefix = "r/",
                        .policy = {},
                        .nested = {}};
  ModelClient client{store, "r/"};

private:
  std::mutex m_looks;
};

}  // namespace repoupdate
