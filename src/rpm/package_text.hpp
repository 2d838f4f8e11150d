// SPDX-License-Identifier: Apache-2.0
// Makes a package's strings fit for XML before libcreaterepo_c writes them: it refuses a package outright
// when any string holds a control character.
#pragma once

#include "base/result.hpp"
#include "rpm/createrepo_c.hpp"

namespace repoupdate {

// Drops forbidden characters from free text (summary, description, packager, URL, licence, vendor, group, build
// host, changelog). ErrorKind::invalid, naming the tag, when one stands where it would change what the package
// is: name, epoch, version, release, arch, source package, dependencies, paths, location_href; or when the name,
// version, release or arch is missing or, like location_href, not UTF-8.
Result<void> make_fit_for_xml(cr_Package& package);

}  // namespace repoupdate
