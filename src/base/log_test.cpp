// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>

namespace repoupdate {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class LogTest : public testing::Test {
protected:
  void open(LogFormat format, LogLevel level = LogLevel::info) {
    ASSERT_TRUE(log.open({.level = level, .format = format, .file = path}).ok());
  }
  std::string written() {
    std::ifstream stream(path);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  void TearDown() override { std::remove(path.c_str()); }

  std::string path = testing::TempDir() + "log_test." + std::to_string(getpid());
  Log log;
};

TEST_F(LogTest, JsonLinesQuoteWhatForeignersWrote) {
  open(LogFormat::json);
  log.error("bad \"key\"", {{"key", "a\nb\\"}, {"size", std::uint64_t{7}}, {"seconds", 0.25}});
  EXPECT_THAT(written(), EndsWith(R"("message":"bad \"key\"","key":"a\u000ab\\","size":7,"seconds":0.250})"
                                  "\n"));
}

TEST_F(LogTest, TextLinesStayOneLine) {
  open(LogFormat::text);
  log.info("published", {{"repository", "s3://b/r"}, {"key", "a\nb"}, {"empty", ""}});
  EXPECT_THAT(written(), HasSubstr(R"(info published repository=s3://b/r key="a\u000ab" empty="")"));
}

TEST_F(LogTest, LinesBelowTheLevelAreDropped) {
  open(LogFormat::text, LogLevel::warning);
  log.info("quiet");
  log.warning("100 % loud");
  EXPECT_THAT(written(), EndsWith("100 % loud\n"));
  EXPECT_EQ(written().find("quiet"), std::string::npos);
}

TEST_F(LogTest, FileThatCannotBeOpenedIsAnError) {
  EXPECT_TRUE(log.open({.file = "/dev/null/log"}).failed_with(ErrorKind::io));
}

TEST_F(LogTest, AFieldWithoutAValueCanBeLeftOut) {
  open(LogFormat::json);
  log.info("m", {{"a", "1"}, LogField::if_any("b", ""), LogField::if_any("c", "R7/x=")});
  EXPECT_THAT(written(), EndsWith("\"message\":\"m\",\"a\":\"1\",\"c\":\"R7/x=\"}\n"));
}

}  // namespace
}  // namespace repoupdate
