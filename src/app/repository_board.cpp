// SPDX-License-Identifier: Apache-2.0
#include "app/repository_board.hpp"

#include "repodata/repomd.hpp"
#include "sync/package_key.hpp"

namespace repoupdate {
namespace {

// A directory without a repository is not looked at again for this long.
constexpr Duration k_believe_nothing_there{std::chrono::seconds(60)};
constexpr std::size_t k_max_believed = 10'000;

std::string url_of(const std::string& bucket, const std::string& prefix) {
  return "s3://" + bucket + '/' + prefix;
}

}  // namespace

Result<void> RepositoryBoard::add(const RepositorySettings& settings) {
  const std::scoped_lock lock(m_mutex);
  return add_locked(settings);
}

Result<void> RepositoryBoard::add_locked(const RepositorySettings& settings) {
  const auto location = parse_repository_location(settings.url);
  if (!location) return location.error();
  auto repository = open_repository(m_session, settings.url, settings.create ? Directory::make : Directory::may_come);
  if (!repository) return std::move(repository).error();
  m_repositories.push_back(std::move(*repository));
  m_locations.push_back(*location);
  m_work.add_repository(coalescing_policy(settings), settings.poll);
  const Router router(m_locations);
  for (std::size_t i = 0; i < m_repositories.size(); ++i) m_repositories[i].nested = router.nested_in(i);
  return {};
}

Result<std::optional<Route>> RepositoryBoard::route(const Event& event) {
  {
    const std::scoped_lock lock(m_mutex);
    if (auto route = Router(m_locations).route(event); route || !m_discovery) return route;
  }
  const auto found = discover(event);
  if (!found) return found.error();
  const std::scoped_lock lock(m_mutex);
  return Router(m_locations).route(event);
}

// The nearest directory above the key that has a repomd.xml.
Result<bool> RepositoryBoard::discover(const Event& event) {
  if (!m_discovery->bucket.empty() && m_discovery->bucket != event.bucket) return false;
  if (!is_package_href(basename_of(event.key))) return false;
  const RepositoryLocation bucket{RepositoryLocation::Scheme::s3, event.bucket, {}};
  const auto store = m_session.stores->open(bucket);
  if (!store) return store.error();
  for (std::string prefix = event.key; !prefix.empty();) {
    prefix.pop_back();
    const auto slash = prefix.rfind('/');
    prefix.erase(slash == std::string::npos ? 0 : slash + 1);
    const std::scoped_lock lock(m_mutex);
    const SteadyTime now = m_session.clock.steady();
    const std::string url = url_of(event.bucket, prefix);
    if (const auto known = m_nothing_there.find(url); known != m_nothing_there.end() && known->second > now) continue;
    const auto pointer = (*store)->head(prefix + std::string(k_repomd_key));
    if (pointer) {
      const auto added = add_locked(settings_for(m_session.settings, url));
      if (!added) return added.error();
      m_session.log.info("found a repository", {{"repository", url}});
      return true;
    }
    if (!pointer.failed_with(ErrorKind::not_found)) return pointer.error();
    if (m_nothing_there.size() >= k_max_believed) m_nothing_there.clear();
    m_nothing_there[url] = now + k_believe_nothing_there;
  }
  return false;
}

const Repository& RepositoryBoard::repository(std::size_t number) const {
  const std::scoped_lock lock(m_mutex);
  return m_repositories[number];
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
