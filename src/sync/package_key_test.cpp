// SPDX-License-Identifier: Apache-2.0
#include "sync/package_key.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

// Semantics 5: what is not a package is none of our business.
TEST(PackageKey, IgnoresMetadataFoldersAndForeignObjects) {
  for (const char* href : {"repodata/x.rpm", "sub/repodata/x.rpm", "folder.rpm/", "readme.txt", "x.rpm.asc", ".rpm",
                           ".hidden/x.rpm", "a/.repoupdate-x.rpm", "", "../x.rpm", "/x.rpm", "//a/x.rpm"})
    EXPECT_FALSE(is_package_href(href)) << href;
}

TEST(PackageKey, KeepsOddNamesAndSubdirectories) {
  for (const char* href : {"x.rpm", "Packages/g/gtk+-c++_lib-1.0~rc1^git.rpm", "a b/%41.src.rpm", "myrepodata/x.rpm"})
    EXPECT_TRUE(is_package_href(href)) << href;
}

}  // namespace
}  // namespace repoupdate
