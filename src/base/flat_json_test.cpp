// SPDX-License-Identifier: Apache-2.0
#include "base/flat_json.hpp"

#include <gtest/gtest.h>

#include "base/json_text.hpp"

namespace repoupdate {
namespace {

TEST(FlatJson, MembersAreReadByName) {
  const auto read = parse_flat_json(R"( {"a": "x", "n" : 12 ,"t":true, "e":""} )");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, (FlatJson{{"a", "x"}, {"n", "12"}, {"t", "true"}, {"e", ""}}));
  EXPECT_EQ(parse_flat_json("{}"), FlatJson{});
}

TEST(FlatJson, WhatJsonStringWritesComesBack) {
  std::string text = "quote \" backslash \\ slash / ";
  for (int c = 0; c < 256; ++c) text += static_cast<char>(c);
  const auto read = parse_flat_json("{" + json_string(text) + ":" + json_string(text) + "}");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at(text), text);
}

TEST(FlatJson, EscapesAreCharacters) {
  const auto read = parse_flat_json(R"({"a":"\u0041\u00e9\u20ac\ud83d\ude00\n\/"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->at("a"), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n/");
}

TEST(FlatJson, WhatIsNoFlatObjectIsRefused) {
  for (const auto* text :
       {"", "{", "{]", "[]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":{}}", "{\"a\":[]}", "{\"a\":1}x", "{a:1}",
        "{\"a\":\"\\x\"}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\udc00\"}", "{\"a\":\"unterminated}", "{\"a\":\"line\nbreak\"}", "{\"a\":\"\\"})
    EXPECT_FALSE(parse_flat_json(text)) << text;
}

}  // namespace
}  // namespace repoupdate
