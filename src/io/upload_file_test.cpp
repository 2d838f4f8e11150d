// SPDX-License-Identifier: Apache-2.0
#include "io/upload_file.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "base/hash.hpp"

namespace repoupdate {
namespace {

class UploadFileTest : public ::testing::Test {
protected:
  ~UploadFileTest() override { std::filesystem::remove(m_path); }
  void write(const std::string& bytes) { std::ofstream(m_path, std::ios::binary) << bytes; }

  const std::filesystem::path m_path =
      std::filesystem::path(::testing::TempDir()) /
      ("upload-file-" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
};

TEST_F(UploadFileTest, ReadsFromAnyOffset) {
  write("0123456789");
  const auto file = UploadFile::open(m_path);
  ASSERT_TRUE(file.ok());
  std::string buffer;
  EXPECT_EQ(file->size(), 10U);
  EXPECT_EQ(*file->read(7, buffer), "789");
  EXPECT_EQ(*file->read(0, buffer), "0123456789");
}

TEST_F(UploadFileTest, DigestsTheWholeAndEveryPart) {
  write(std::string(300'000, 'a') + std::string(300'000, 'b') + "c");
  const auto digests = UploadFile::open(m_path)->digest(300'000);
  ASSERT_TRUE(digests.ok());
  EXPECT_EQ(digests->whole, sha256_hex(std::string(300'000, 'a') + std::string(300'000, 'b') + "c"));
  ASSERT_EQ(digests->parts.size(), 3U);
  EXPECT_EQ(digests->parts[0], sha256_hex(std::string(300'000, 'a')));
  EXPECT_EQ(digests->parts[1], sha256_hex(std::string(300'000, 'b')));
  EXPECT_EQ(digests->parts[2], sha256_hex("c"));
}

TEST_F(UploadFileTest, FileThatBecomesShorterIsAnError) {
  write(std::string(1'000'000, 'x'));
  const auto file = UploadFile::open(m_path);
  ASSERT_TRUE(file.ok());
  std::filesystem::resize_file(m_path, 500'000);
  std::string buffer;
  EXPECT_TRUE(file->read(600'000, buffer).failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(file->digest(1 << 20).failed_with(ErrorKind::corrupt));
}

TEST_F(UploadFileTest, OpensRegularFilesOnly) {
  EXPECT_TRUE(UploadFile::open(m_path).failed_with(ErrorKind::not_found));
  EXPECT_TRUE(UploadFile::open(::testing::TempDir()).failed_with(ErrorKind::invalid));
}

}  // namespace
}  // namespace repoupdate
