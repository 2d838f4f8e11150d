// SPDX-License-Identifier: Apache-2.0
// Which keys below a repository's prefix are packages.
#pragma once

#include <string_view>

namespace repoupdate {

// True for keys that may be listed in metadata: they end in ".rpm", are not folders, and no segment is
// "repodata" or starts with a dot (metadata, and temporary objects of this program and others). None that begins with a
// slash either: clients take that for the root of the host, or leave it out, and find nothing.
bool is_package_href(std::string_view href);

// The key that a location_href of foreign metadata means: some tools write "./name.rpm".
std::string_view key_of_href(std::string_view href);

}  // namespace repoupdate
