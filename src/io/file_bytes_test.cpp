// SPDX-License-Identifier: Apache-2.0
#include "io/file_bytes.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

namespace fs = std::filesystem;

class FileBytesTest : public testing::Test {
protected:
  std::shared_ptr<const FileBytes> open(std::string_view bytes) {
    auto file = FileBytes::open(directory.write("file", bytes));
    EXPECT_TRUE(file.ok());
    return *file;
  }
  fs::path path() const { return directory.path("file"); }

  ScratchDirectory directory;
};

TEST_F(FileBytesTest, IsReadAtAnyOffset) {
  const auto file = open("0123456789");
  EXPECT_EQ(file->size(), 10U);
  EXPECT_TRUE(file->is_local());
  EXPECT_EQ(*read_piece(*file, 7, 3), "789");
  EXPECT_EQ(*read_piece(*file, 0, 10), "0123456789");
  EXPECT_EQ(*read_piece(*file, 10, 0), "");
  std::string into(2, '.');
  EXPECT_TRUE(file->read(9, into).failed_with(ErrorKind::invalid));
}

TEST_F(FileBytesTest, OutlivesItsName) {
  const auto file = open("old");
  fs::rename(directory.write("other", "new"), path());
  EXPECT_EQ(*read_all(*file, 3), "old");
  fs::remove(path());
  EXPECT_EQ(*read_all(*file, 3), "old");
}

TEST_F(FileBytesTest, WritingIntoItIsNoticed) {
  const auto longer = open("0123456789");
  directory.write("file", "0123456789+");
  EXPECT_TRUE(read_piece(*longer, 0, 1).failed_with(ErrorKind::precondition_failed));
  const auto shorter = open("0123456789");
  fs::resize_file(path(), 5);
  EXPECT_TRUE(read_piece(*shorter, 0, 1).failed_with(ErrorKind::precondition_failed));
  EXPECT_TRUE(read_piece(*shorter, 4, 6).failed_with(ErrorKind::precondition_failed));
  const auto same_size = open("0123456789");
  directory.write("file", "abcdefghij");
  fs::last_write_time(path(), fs::last_write_time(path()) + std::chrono::seconds(1));
  EXPECT_TRUE(read_piece(*same_size, 0, 1).failed_with(ErrorKind::precondition_failed));
}

TEST_F(FileBytesTest, OpensRegularFilesOnly) {
  EXPECT_TRUE(FileBytes::open(path()).failed_with(ErrorKind::not_found));
  EXPECT_TRUE(FileBytes::open(directory.path()).failed_with(ErrorKind::invalid));
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_TRUE(FileBytes::open(path()).failed_with(ErrorKind::invalid)) << "and did not wait for a writer";
}

}  // namespace
}  // namespace repoupdate
