// SPDX-License-Identifier: Apache-2.0
#include "io/http.hpp"

#include <gtest/gtest.h>

namespace repoupdate {
namespace {

TEST(PercentEncode, KeepsUnreservedCharactersOnly) {
  EXPECT_EQ(percent_encode("AZaz09-._~", false), "AZaz09-._~");
  EXPECT_EQ(percent_encode("gtk+-c++_lib-1.0~rc1^git.rpm", false), "gtk%2B-c%2B%2B_lib-1.0~rc1%5Egit.rpm");
  EXPECT_EQ(percent_encode("a/b", true), "a/b");
  EXPECT_EQ(percent_encode("a/b", false), "a%2Fb");
  EXPECT_EQ(percent_encode("\xC3\xA9", false), "%C3%A9");
}

TEST(FormDecode, TakesPlusForASpaceAndLeavesBrokenEscapesAlone) {
  EXPECT_EQ(form_decode("a+b%2Bc%20d%c3%A9"), "a b+c d\xC3\xA9");
  EXPECT_EQ(form_decode("100%"), "100%");
  EXPECT_EQ(form_decode("%2"), "%2");
  EXPECT_EQ(form_decode("%zz%41"), "%zzA");
  EXPECT_EQ(percent_decode("a+b%2B"), "a+b+");
}

TEST(CanonicalQuery, SortsByNameThenValueAndKeepsEmptyOnes) {
  HttpRequest request;
  request.query = {{"uploads", ""}, {"prefix", "a/b +"}, {"a-b", "1"}, {"a", "2"}, {"a", "1"}};
  EXPECT_EQ(canonical_query(request), "a=1&a=2&a-b=1&prefix=a%2Fb%20%2B&uploads=");
}

TEST(Url, ShowsDotsAndDoubleSlashesAsTheyAre) {
  HttpRequest request;
  request.host = "h:8080";
  request.path = "/b/./x/..//+ y";
  EXPECT_EQ(url(request), "https://h:8080/b/./x/..//%2B%20y");
  request.query = {{"b", "2"}, {"a", "1"}};
  EXPECT_EQ(url(request), "https://h:8080/b/./x/..//%2B%20y?a=1&b=2");
}

TEST(ParseUrl, TakesAUrlApart) {
  const auto request = parse_url("http://[::1]:8080/creds/a%20b?x=1%2B&empty");
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->scheme, "http");
  EXPECT_EQ(request->host, "[::1]:8080");
  EXPECT_EQ(request->path, "/creds/a b");
  ASSERT_EQ(request->query.size(), 2U);
  EXPECT_EQ(request->query[0].second, "1+");
  EXPECT_EQ(request->query[1].first, "empty");
}

TEST(ParseUrl, LeavesTheSchemesOwnPortOutOfTheHost) {
  EXPECT_EQ(parse_url("https://store.example:443/")->host, "store.example");
  EXPECT_EQ(parse_url("http://store.example:443/")->host, "store.example:443");
}

TEST(ParseUrl, RefusesWhatIsNoHttpUrl) {
  for (const char* text : {"", "store.example", "ftp://store.example", "https://", "https://user:secret@store.example",
                           "https://store.example/#part", "https://a b/"})
    EXPECT_TRUE(parse_url(text).failed_with(ErrorKind::invalid)) << text;
  EXPECT_EQ(parse_url("https://user:secret@host").error().message.find("secret"), std::string::npos);
}

TEST(HttpRequest, SettingAHeaderTwiceKeepsTheSecondValue) {
  HttpRequest request;
  request.set_header("range", "bytes=0-");
  request.set_header("range", "bytes=5-");
  ASSERT_EQ(request.headers.size(), 1U);
  EXPECT_EQ(request.headers[0].second, "bytes=5-");
}

}  // namespace
}  // namespace repoupdate
