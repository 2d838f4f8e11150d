// SPDX-License-Identifier: Apache-2.0
// Which repository an event belongs to. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "model/event.hpp"
#include "model/repository_location.hpp"

namespace repoupdate {

struct Route {
  std::size_t repository;  // position in the list that the router was made with
  std::string href;        // below that repository's root
  std::string raw_href;    // the other spelling to try, or empty
  bool said_gone = false;  // see Event
};

class Router {
public:
  explicit Router(const std::vector<RepositoryLocation>& repositories);

  // The repository of the event's bucket with the longest prefix of the event's key; package directories below
  // a repository's root belong to it. Nothing for keys that are no packages, or of no repository here.
  std::optional<Route> route(const Event& event) const;

  // Prefixes, relative to repository `index`, of the other repositories that lie below it.
  std::vector<std::string> nested_in(std::size_t index) const;

private:
  std::optional<std::size_t> owner(const std::string& full_key) const;

  // Roots and keys are in one name space: directories, whose path is the bucket, may lie below each other as prefixes do.
  std::vector<std::string> m_roots;
};

}  // namespace repoupdate
