// SPDX-License-Identifier: Apache-2.0
// Where the packages lie in a piece of open XML that begins and ends between packages: what stands in a frame of
// primary, filelists or other (segment_table.hpp). Looks at '<' only, as FragmentScanner does, but in place.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace repoupdate {

struct PackageSpan {
  std::size_t begin = 0;  // of `<package`
  std::size_t end = 0;    // behind `</package>`

  bool operator==(const PackageSpan&) const = default;
};

// Everything outside of the spans is white space, comments or processing instructions. corrupt or unsupported, as
// FragmentScanner says, when anything else stands there, or when the piece ends inside of something.
Result<std::vector<PackageSpan>> scan_packages(std::string_view open);

}  // namespace repoupdate
