// SPDX-License-Identifier: Apache-2.0
#include "sync/router.hpp"

#include "sync/package_key.hpp"

namespace repoupdate {

std::optional<std::size_t> Router::owner(const std::string& bucket, const std::string& key) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < m_repositories.size(); ++i) {
    const RepositoryLocation& candidate = m_repositories[i];
    if (candidate.bucket != bucket || !key.starts_with(candidate.prefix)) continue;
    if (!best || candidate.prefix.size() > m_repositories[*best].prefix.size()) best = i;
  }
  return best;
}

std::optional<Route> Router::route(const Event& event) const {
  const auto repository = owner(event.bucket, event.key);
  if (!repository) {
    if (event.raw_key == event.key) return std::nullopt;
    return route({event.bucket, event.raw_key, event.raw_key});
  }
  const std::string& prefix = m_repositories[*repository].prefix;
  Route route{*repository, event.key.substr(prefix.size()), {}};
  if (!is_package_href(route.href)) return std::nullopt;
  if (event.raw_key != event.key && owner(event.bucket, event.raw_key) == repository)
    route.raw_href = event.raw_key.substr(prefix.size());
  return route;
}

std::vector<std::string> Router::nested_in(std::size_t index) const {
  const RepositoryLocation& outer = m_repositories[index];
  std::vector<std::string> nested;
  for (const auto& inner : m_repositories)
    if (inner.bucket == outer.bucket && inner.prefix.size() > outer.prefix.size() &&
        inner.prefix.starts_with(outer.prefix))
      nested.push_back(inner.prefix.substr(outer.prefix.size()));
  return nested;
}

}  // namespace repoupdate
