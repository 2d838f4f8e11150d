// SPDX-License-Identifier: Apache-2.0
#include "io/gpg_home.hpp"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

class GpgHomeTest : public testing::Test {
protected:
  GpgHomeTest() { ::setenv("RUNTIME_DIRECTORY", directory.path().c_str(), 1); }
  ~GpgHomeTest() override { ::unsetenv("RUNTIME_DIRECTORY"); }

  ScratchDirectory directory;
};

TEST_F(GpgHomeTest, IsForThisUserAloneAndGoesWithItsOwner) {
  std::string path;
  {
    const auto home = GpgHome::create();
    ASSERT_TRUE(home.ok()) << home.error().text();
    path = (*home)->path();
    EXPECT_TRUE(path.starts_with(directory.path()));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700u);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

// As after kill -9: the lock went with the process.
TEST_F(GpgHomeTest, WhatADeadProcessHasLeftIsRemovedAndNothingElse) {
  directory.write("repoupdate-gpg-dead01/lock", "");
  directory.write("repoupdate-gpg-dead01/private-keys-v1.d/secret", "x");
  directory.write("repoupdate-gpg-begun/file", "not locked yet");
  directory.write("other/lock", "");
  const auto first = GpgHome::create();
  ASSERT_TRUE(first.ok());
  EXPECT_FALSE(std::filesystem::exists(directory.path("repoupdate-gpg-dead01")));
  const auto second = GpgHome::create();
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(std::filesystem::exists((*first)->path()));
  EXPECT_TRUE(std::filesystem::exists(directory.path("repoupdate-gpg-begun")));
  EXPECT_TRUE(std::filesystem::exists(directory.path("other/lock")));
}

}  // namespace
}  // namespace repoupdate
