// SPDX-License-Identifier: Apache-2.0
// The headers of libcreaterepo_c that this room uses, made fit for C++20: they include GLib, libxml2 and
// librpm within extern "C", so those come first here, and they name a member `requires`.
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <rpm/rpmlib.h>

#define requires requires_list  // only the name differs, not the layout
#include <createrepo_c/package.h>
#include <createrepo_c/parsehdr.h>
#include <createrepo_c/xml_dump.h>
#undef requires

#include <memory>

namespace repoupdate {

struct FreePackage {
  void operator()(cr_Package* package) const { cr_package_free(package); }
};
using PackagePtr = std::unique_ptr<cr_Package, FreePackage>;

}  // namespace repoupdate
