// SPDX-License-Identifier: Apache-2.0
// The repositories that a daemon serves: configured ones, and those it finds where events point to.
#pragma once

#include <chrono>
#include <map>
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
  RepositoryBoard(Session& session, WorkList& work, std::optional<Discovery> discovery)
      : m_session(session), m_work(work), m_discovery(std::move(discovery)) {}

  // Opens a configured repository's store. Its nested repositories are known once all are added.
  Result<void> add(const RepositorySettings& settings);

  // Where an event belongs. May look into the store for a repository that is not known yet; an Error when that
  // could not be told.
  Result<std::optional<Route>> route(const Event& event);

  Repository repository(std::size_t number) const;  // as it is now; others may be found meanwhile
  std::size_t size() const;
  std::vector<std::string> directories() const;  // that are repositories

private:
  enum class Knowledge { served, nothing_there, none };
  Knowledge knowledge(const std::string& bucket, const std::string& prefix) const;
  Result<void> discover(const Event& event);
  Result<void> add_discovered(const std::string& url);
  Result<void> add_locked(const RepositorySettings& settings);

  Session& m_session;
  WorkList& m_work;
  std::optional<Discovery> m_discovery;
  mutable std::mutex m_mutex;
  std::vector<Repository> m_repositories;
  std::vector<RepositoryLocation> m_locations;
  std::map<std::string, SteadyTime> m_nothing_there;  // looked for in vain, and until when that is believed
};

}  // namespace repoupdate
