// SPDX-License-Identifier: Apache-2.0
#include "sync/router.hpp"

#include "sync/package_key.hpp"

namespace repoupdate {

Router::Router(const std::vector<RepositoryLocation>& repositories) {
  for (const auto& location : repositories) m_roots.push_back(location.bucket + '/' + location.prefix);
}

std::optional<std::size_t> Router::owner(const std::string& full_key) const {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < m_roots.size(); ++i)
    if (full_key.starts_with(m_roots[i]) && (!best || m_roots[i].size() > m_roots[*best].size())) best = i;
  return best;
}

std::optional<Route> Router::route(const Event& event) const {
  const std::string full_key = event.bucket + '/' + event.key, full_raw_key = event.bucket + '/' + event.raw_key;
  const auto repository = owner(full_key);
  if (!repository) {
    if (event.raw_key == event.key) return std::nullopt;
    return route({event.bucket, event.raw_key, event.raw_key, event.said_gone});
  }
  const std::size_t root_size = m_roots[*repository].size();
  Route route{*repository, full_key.substr(root_size), {}, event.said_gone};
  if (!is_package_href(route.href)) return std::nullopt;
  if (event.raw_key != event.key && owner(full_raw_key) == repository) route.raw_href = full_raw_key.substr(root_size);
  return route;
}

std::vector<std::string> Router::nested_in(std::size_t index) const {
  const std::string& outer = m_roots[index];
  std::vector<std::string> nested;
  for (const std::string& inner : m_roots)
    if (inner.size() > outer.size() && inner.starts_with(outer)) nested.push_back(inner.substr(outer.size()));
  return nested;
}

}  // namespace repoupdate
