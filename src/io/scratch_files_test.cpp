// SPDX-License-Identifier: Apache-2.0
#include "io/scratch_files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <string>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;

TEST(ScratchFiles, WhatIsAppendedIsReadAtAnyOffset) {
  const ScratchDirectory directory;
  ScratchFiles scratch(directory.path());
  const auto file = scratch.create();
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->size(), 0U);
  const std::string large(3'000'000, 'x');
  ASSERT_TRUE((*file)->append("0123"));
  ASSERT_TRUE((*file)->append(""));
  ASSERT_TRUE((*file)->append(large));
  ASSERT_TRUE((*file)->append("789"));
  EXPECT_TRUE((*file)->is_local());
  EXPECT_EQ((*file)->size(), large.size() + 7);
  EXPECT_EQ(*read_piece(**file, 2, 4), "23xx");
  EXPECT_EQ(*read_piece(**file, large.size() + 3, 4), "x789");
  EXPECT_TRUE(read_piece(**file, large.size() + 4, 4).failed_with(ErrorKind::invalid));
  ASSERT_TRUE((*file)->append("!"));
  EXPECT_EQ(*read_piece(**file, large.size() + 4, 4), "789!");
}

TEST(ScratchFiles, NothingIsLeftInTheDirectory) {
  const ScratchDirectory directory;
  std::shared_ptr<ScratchFile> file;
  {
    ScratchFiles scratch(directory.path());
    file = *scratch.create();
    ASSERT_TRUE(file->append("bytes"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path())) << "also while it is in use: a crash leaves nothing behind";
  EXPECT_EQ(*read_all(*file, 5), "bytes") << "it outlives who made it";
}

TEST(ScratchFiles, AFullDiskIsToldWithItsDirectory) {
  auto full = open_file("/dev/full", O_RDWR, "/dev/full");
  ASSERT_TRUE(full);
  DiskScratchFile file(*std::move(full), "/var/tmp");
  const auto appended = file.append("bytes");
  ASSERT_TRUE(appended.failed_with(ErrorKind::no_space));
  EXPECT_THAT(appended.error().message, HasSubstr("/var/tmp"));
  EXPECT_EQ(file.size(), 0U) << "nothing counts as written";
}

TEST(ScratchFiles, ADirectoryThatCannotBeUsedIsNamed) {
  const ScratchDirectory directory;
  const auto file = ScratchFiles(directory.path("none")).create();
  ASSERT_TRUE(file.failed_with(ErrorKind::not_found));
  EXPECT_THAT(file.error().message, HasSubstr(directory.path("none")));
}

TEST(ScratchFiles, LieWhereTmpdirSays) {
  EXPECT_EQ(scratch_directory("/mnt/large"), "/mnt/large");
  EXPECT_EQ(scratch_directory(""), "/var/tmp");
}

}  // namespace
}  // namespace repoupdate
