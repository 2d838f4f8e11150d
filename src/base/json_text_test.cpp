// SPDX-License-Identifier: Apache-2.0
#include "base/json_text.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(JsonText, EscapesWhatJsonForbids) {
  EXPECT_EQ(json_string("a\"b\\c\n\x01\x7f"), "\"a\\\"b\\\\c\\u000a\\u0001\x7f\"");
  EXPECT_EQ(json_string("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
            "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\"");
  EXPECT_EQ(json_string(""), "\"\"");
}

// A key is any bytes, and JSON is UTF-8: no reader takes a line with others.
TEST(JsonText, BytesThatAreNoUtf8AreReplaced) {
  EXPECT_EQ(valid_utf8("a\xff"
                       "b"),
            "a\xef\xbf\xbd"
            "b");
  for (const char* text : {"", "plain\n", "gr\xc3\xbc\xc3\x9f", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_EQ(valid_utf8(text), text);
  for (const char* text :
       {"\x80", "\xc3", "\xc1", "\xf5", "\xe2\x82", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80"})
    EXPECT_TRUE(valid_utf8(text).starts_with("\xef\xbf\xbd")) << text;
}

}  // namespace
}  // namespace repoupdate
