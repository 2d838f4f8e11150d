// SPDX-License-Identifier: Apache-2.0
#include "io/posix_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

using testing::StartsWith;

// I11: kinds of failure are not folded into each other.
TEST(PosixFile, ErrnoBecomesItsKind) {
  for (const int code : {EACCES, EPERM, EROFS}) EXPECT_EQ(errno_error(code, "x").kind, ErrorKind::denied);
  for (const int code : {ENOENT, ENOTDIR}) EXPECT_EQ(errno_error(code, "x").kind, ErrorKind::not_found);
  for (const int code : {ENOSPC, EDQUOT}) EXPECT_EQ(errno_error(code, "x").kind, ErrorKind::no_space);
  for (const int code : {EISDIR, ENAMETOOLONG}) EXPECT_EQ(errno_error(code, "x").kind, ErrorKind::invalid);
  for (const int code : {EIO, EMFILE, ESTALE, ELOOP}) EXPECT_EQ(errno_error(code, "x").kind, ErrorKind::io);
  EXPECT_EQ(errno_error(EROFS, "/srv/repo").message, "/srv/repo: Read-only file system");
}

TEST(PosixFile, AFullDiskIsToldWhileWriting) {
  const auto full = open_file("/dev/full", O_WRONLY, "/dev/full");
  ASSERT_TRUE(full);
  const auto written = write_all(*full, "bytes", "a new file");
  ASSERT_TRUE(written.failed_with(ErrorKind::no_space));
  EXPECT_THAT(written.error().message, StartsWith("a new file: "));
}

TEST(PosixFile, ReadsAndWritesAtAnyOffset) {
  const ScratchDirectory directory;
  const auto file = open_file(directory.write("file", "0123456789"), O_RDWR, "file");
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_all_at(*file, 8, "abcd", "file"));
  std::string into(6, '.');
  EXPECT_EQ(*read_at(*file, 5, into, "file"), 6U);
  EXPECT_EQ(into, "567abc");
  EXPECT_EQ(*read_at(*file, 11, into, "file"), 1U) << "no more than there is";
  EXPECT_EQ(into.front(), 'd');
  EXPECT_EQ(*read_at(*file, 100, into, "file"), 0U);
}

TEST(PosixFile, FilesWithoutANameAreNotSeen) {
  const ScratchDirectory directory;
  for (const auto& open : {open_nameless, open_unlinked}) {
    const auto file = open(directory.path(), "a file");
    ASSERT_TRUE(file) << file.error().message;
    ASSERT_TRUE(write_all(*file, "bytes", "a file"));
    std::string into(5, '.');
    EXPECT_EQ(*read_at(*file, 0, into, "a file"), 5U);
    EXPECT_EQ(into, "bytes");
    struct stat status {};
    ASSERT_EQ(::fstat(file->get(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    EXPECT_TRUE(open(directory.path("none"), "a file").failed_with(ErrorKind::not_found));
  }
}

TEST(PosixFile, AMovedHandleIsClosedOnce) {
  auto opened = open_file("/dev/null", O_RDONLY, "/dev/null");
  ASSERT_TRUE(opened);
  const int descriptor = opened->get();
  {
    const FileHandle owner = *std::move(opened);
    EXPECT_EQ(owner.get(), descriptor);
    EXPECT_NE(::fcntl(descriptor, F_GETFD), -1);
  }
  EXPECT_EQ(::fcntl(descriptor, F_GETFD), -1);
}

}  // namespace
}  // namespace repoupdate
