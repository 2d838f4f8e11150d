// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>

#include "model/object.hpp"

namespace repoupdate {

// An object that was looked at and found to be what is listed: with this ETag it has this pkgid.
struct KnownObject {
  ETag etag;
  std::string pkgid;
};
using KnownObjects = std::map<std::string, KnownObject, std::less<>>;  // by href

}  // namespace repoupdate
