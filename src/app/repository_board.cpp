// SPDX-License-Identifier: Apache-2.0
#include "app/repository_board.hpp"

#include <algorithm>

#include "model/location_href.hpp"
#include "repodata/repomd.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// A directory without a repository is not looked at again for this long.
constexpr Duration k_believe_nothing_there{std::chrono::seconds(5)};
constexpr std::size_t k_max_believed = 10'000;

std::string url_of(const std::string& bucket, const std::string& prefix) {
  return "s3://" + bucket + '/' + prefix;
}

}  // namespace

Result<void> RepositoryBoard::add(const std::vector<RepositorySettings>& repositories, Directory when_missing) {
  const std::scoped_lock lock(m_mutex);
  for (const auto& settings : repositories)
    if (auto added = add_locked(settings, when_missing); !added) return added;
  learn_neighbours();
  return {};
}

Result<void> RepositoryBoard::add_locked(const RepositorySettings& settings, Directory when_missing) {
  const auto location = parse_repository_location(settings.url);
  if (!location) return location.error();
  if (std::ranges::find(m_locations, *location) != m_locations.end())
    return Error{ErrorKind::invalid, "repository '" + settings.url + "' is configured twice", {}};
  auto repository =
      open_repository(m_session, settings.url, settings.create ? Directory::make : when_missing, Signing::even_expired);
  if (!repository) return std::move(repository).error();
  repository->memory = &m_memory;
  m_repositories.push_back(std::move(*repository));
  m_locations.push_back(*location);
  m_work.add_repository(coalescing_policy(settings), settings.poll);
  return {};
}

void RepositoryBoard::learn_neighbours() {
  m_router = std::make_shared<Router>(m_locations);
  for (std::size_t i = 0; i < m_repositories.size(); ++i) m_repositories[i].nested = m_router->nested_in(i);
}

Result<std::optional<Route>> RepositoryBoard::route(const Event& event) {
  if (m_discovery)
    if (const auto looked = discover(event); !looked) return looked.error();
  const auto router = [this] {
    const std::scoped_lock lock(m_mutex);
    return m_router;
  }();
  return router->route(event);
}

// Adds the nearest directory above the key that has a repomd.xml.
Result<void> RepositoryBoard::discover(const Event& event) {
  if (!m_discovery->bucket.empty() && m_discovery->bucket != event.bucket) return {};
  if (!is_package_href(basename_of(event.key))) return {};
  const auto store = m_session.stores->open({RepositoryLocation::Scheme::s3, event.bucket, {}});
  if (!store) return store.error();
  for (std::string prefix = event.key; !prefix.empty();) {
    prefix.pop_back();
    const auto slash = prefix.rfind('/');
    prefix.erase(slash == std::string::npos ? 0 : slash + 1);
    switch (knowledge(event.bucket, prefix)) {
      case Knowledge::served: return {};
      case Knowledge::nothing_there: continue;
      case Knowledge::none: break;
    }
    const auto pointer = (*store)->head(prefix + std::string(k_repomd_key));
    if (pointer) return add_discovered(url_of(event.bucket, prefix));
    if (!pointer.failed_with(ErrorKind::not_found)) return pointer.error();
    const std::scoped_lock lock(m_mutex);
    if (m_nothing_there.size() >= k_max_believed) m_nothing_there.clear();
    m_nothing_there[url_of(event.bucket, prefix)] = m_session.clock.steady() + k_believe_nothing_there;
  }
  return {};
}

RepositoryBoard::Knowledge RepositoryBoard::knowledge(const std::string& bucket, const std::string& prefix) const {
  const std::scoped_lock lock(m_mutex);
  for (const auto& location : m_locations)
    if (location.bucket == bucket && location.prefix == prefix) return Knowledge::served;
  const auto known = m_nothing_there.find(url_of(bucket, prefix));
  const bool believed = known != m_nothing_there.end() && known->second > m_session.clock.steady();
  return believed ? Knowledge::nothing_there : Knowledge::none;
}

Result<void> RepositoryBoard::add_discovered(const std::string& url) {
  const std::scoped_lock lock(m_mutex);
  const auto location = parse_repository_location(url);
  if (!location) return location.error();
  if (std::ranges::find(m_locations, *location) != m_locations.end()) return {};  // another source was faster
  if (auto added = add_locked(settings_for(m_session.settings, url), Directory::may_come); !added) return added;
  learn_neighbours();
  m_work.add_reconcile(m_repositories.size() - 1);  // what came before somebody listened
  m_session.log.info("found a repository", {{"repository", url}});
  return {};
}

Repository RepositoryBoard::repository(std::size_t number) const {
  const std::scoped_lock lock(m_mutex);
  return m_repositories[number];
}

std::string RepositoryBoard::name(std::size_t number) const {
  const std::scoped_lock lock(m_mutex);
  return m_repositories[number].name;
}

std::size_t RepositoryBoard::size() const {
  const std::scoped_lock lock(m_mutex);
  return m_repositories.size();
}

std::vector<std::string> RepositoryBoard::directories() const {
  const std::scoped_lock lock(m_mutex);
  std::vector<std::string> directories;
  for (const auto& location : m_locations)
    if (location.scheme == RepositoryLocation::Scheme::directory) directories.push_back(location.bucket);
  return directories;
}

}  // namespace repoupdate
