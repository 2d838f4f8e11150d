// SPDX-License-Identifier: Apache-2.0
#include "io/posix_file.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>

#include <cerrno>

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
