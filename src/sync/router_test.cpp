// SPDX-License-Identifier: Apache-2.0
#include "sync/router.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

RepositoryLocation s3(std::string bucket, std::string prefix) {
  return {RepositoryLocation::Scheme::s3, std::move(bucket), std::move(prefix)};
}

const Router k_router({s3("b", "el9/"), s3("b", "el9/x86_64/"), s3("c", "")});

// Semantics 6: the longest prefix chooses, package directories below the root included.
TEST(Router, LongestPrefixChoosesTheRepository) {
  const auto route = k_router.route({"b", "el9/x86_64/Packages/a.rpm", "el9/x86_64/Packages/a.rpm"});
  ASSERT_TRUE(route);
  EXPECT_EQ(route->repository, 1u);
  EXPECT_EQ(route->href, "Packages/a.rpm");
  EXPECT_EQ(route->raw_href, "");
  EXPECT_EQ(k_router.route({"b", "el9/noarch/a.rpm", "el9/noarch/a.rpm"})->repository, 0u);
  EXPECT_EQ(k_router.route({"c", "a.rpm", "a.rpm"})->repository, 2u);
}

TEST(Router, KeepsTheRawSpellingWhereItIsInTheSameRepository) {
  EXPECT_EQ(k_router.route({"b", "el9/a b.rpm", "el9/a+b.rpm"})->raw_href, "a+b.rpm");
  EXPECT_EQ(k_router.route({"b", "el9/a b.rpm", "el9%2Fa+b.rpm"})->raw_href, "");
}

TEST(Router, LeavesWhatIsNotItsBusiness) {
  for (const char* key : {"el8/a.rpm", "el9/repodata/x.rpm", "el9/readme", "el9"})
    EXPECT_FALSE(k_router.route({"b", key, key})) << key;
  EXPECT_FALSE(k_router.route({"x", "a.rpm", "a.rpm"}));
}

TEST(Router, DirectoriesBelowEachOtherAreToldApart) {
  const Router router({{RepositoryLocation::Scheme::directory, "/srv", ""},
                       {RepositoryLocation::Scheme::directory, "/srv/el9", ""},
                       {RepositoryLocation::Scheme::directory, "/srv/el90", ""}});
  const auto route = router.route({"/srv", "el9/a.rpm", "el9/a.rpm"});
  ASSERT_TRUE(route);
  EXPECT_EQ(route->repository, 1u);
  EXPECT_EQ(route->href, "a.rpm");
  EXPECT_EQ(router.nested_in(0), (std::vector<std::string>{"el9/", "el90/"}));
  EXPECT_TRUE(router.nested_in(1).empty());
}

TEST(Router, NamesTheRepositoriesBelowOne) {
  EXPECT_EQ(k_router.nested_in(0), std::vector<std::string>{"x86_64/"});
  EXPECT_TRUE(k_router.nested_in(1).empty());
  EXPECT_TRUE(k_router.nested_in(2).empty());
}

}  // namespace
}  // namespace repoupdate
