// SPDX-License-Identifier: Apache-2.0
// The repositories that a daemon serves: configured ones, and those it finds where events point to.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "app/session.hpp"
#include "model/event.hpp"
#include "sync/repository.hpp"
#include "sync/router.hpp"
#include "sync/work_list.hpp"

namespace repoupdate {

// Serve any repository that an event's key lies in, when one is there. Limited to a bucket where one is named.
struct Discovery {
  std::string bucket;
};

// Thread-safe. Repositories keep their number for as long as the board lives.
class RepositoryBoard {
public:
  // What is remembered of repositories lies in `memory`, which must outlive the board.
  RepositoryBoard(Session& session, WorkList& work, RepositoryMemory& memory, std::optional<Discovery> discovery)
      : m_session(session), m_work(work), m_memory(memory), m_discovery(std::move(discovery)) {}

  // Opens the stores of configured repositories; `when_missing` is for directories that are not to be made. invalid:
  // one place twice.
  Result<void> add(const std::vector<RepositorySettings>& repositories, Directory when_missing);

  // Where an event belongs. May look into the store for a repository that is not known yet; an Error when that
  // could not be told.
  Result<std::optional<Route>> route(const Event& event);

  Repository repository(std::size_t number) const;  // as it is now; others may be found meanwhile
  std::string name(std::size_t number) const;
  std::size_t size() const;
  std::vector<std::string> directories() const;  // that are repositories

private:
  enum class Knowledge { served, nothing_there, none };
  Knowledge knowledge(const std::string& bucket, const std::string& prefix) const;
  Result<void> discover(const Event& event);
  Result<void> add_discovered(const std::string& url);
  Result<void> add_locked(const RepositorySettings& settings, Directory when_missing);
  void learn_neighbours();

  Session& m_session;
  WorkList& m_work;
  RepositoryMemory& m_memory;
  std::optional<Discovery> m_discovery;
  mutable std::mutex m_mutex;
  std::vector<Repository> m_repositories;
  std::vector<RepositoryLocation> m_locations;
  std::shared_ptr<const Router> m_router = std::make_shared<Router>(m_locations);  // of them
  std::map<std::string, SteadyTime> m_nothing_there;  // looked for in vain, and until when that is believed
};

}  // namespace repoupdate
