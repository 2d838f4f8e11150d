// SPDX-License-Identifier: Apache-2.0
// What one <package> element says about the package.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "repodata/index_entry.hpp"

namespace repoupdate {

// Of primary:
//
//     <package type="rpm">
//       <name>a</name> <arch>noarch</arch> <version epoch="0" ver="1" rel="1"/>
//       <checksum type="sha256" pkgid="YES">2fe1...</checksum>
//       <time file="1795368149" build="..."/> <size package="5481" .../>
//       <location xml:base="..." href="a-1-1.noarch.rpm"/>
//
// in any order. Reads no further than it must: <format>, most of the element, stands behind these.
// unsupported when name, arch, version, checksum or location is missing or malformed.
Result<IndexEntry> read_primary_fragment(std::string_view fragment);

// The location_href alone.
Result<std::string> read_fragment_href(std::string_view fragment);

// Of filelists and other: <package pkgid="2fe1..." name="a" arch="noarch">. unsupported when there is none.
Result<std::string> read_fragment_pkgid(std::string_view fragment);

}  // namespace repoupdate
