// SPDX-License-Identifier: Apache-2.0
#include "rpm/allowed_text.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(AllowedText, KeepsWhatXmlAllows) {
  for (const char* text : {"", "plain", "tab\tline\nreturn\r", "Grüße, 世界, 🎉", "\x7f", "\xc2\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xef\xbf\xbd", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_xml_text(text)) << text;
    EXPECT_EQ(keep_xml_text(text), text);
  }
}

TEST(AllowedText, DropsWhatXmlForbids) {
  struct Row {
    const char *text, *kept;
  };
  const Row rows[] = {
      {"a\x01z\x1f", "az"},  // control characters
      {"\x0b\x0c\x1b[0m", "[0m"},
      {"a\xef\xbf\xbez", "az"},      // U+FFFE
      {"a\xef\xbf\xbfz", "az"},      // U+FFFF
      {"a\xed\xa0\x80z", "az"},      // a surrogate
      {"a\xc0\xafz", "az"},          // '/' in two bytes
      {"a\xe0\x80\xafz", "az"},      // in three
      {"a\xf4\x90\x80\x80z", "az"},  // beyond U+10FFFF
      {"ü\x07ü", "üü"},
  };
  for (const auto& [text, kept] : rows) {
    EXPECT_FALSE(is_xml_text(text)) << text;
    EXPECT_EQ(keep_xml_text(text), kept);
  }
}

TEST(AllowedText, TextThatIsNotUtf8OnlyLosesControlCharacters) {
  EXPECT_FALSE(is_utf8("Gr\xfc\xdf"));
  EXPECT_TRUE(is_xml_text("Gr\xfc\xdf"));
  EXPECT_EQ(keep_xml_text("Gr\xfc\x02\xdf"), "Gr\xfc\xdf");
  EXPECT_FALSE(is_utf8("cut \xe4\xb8"));
  EXPECT_TRUE(is_utf8("whole \xe4\xb8\x96"));
}

}  // namespace
}  // namespace repoupdate
