// SPDX-License-Identifier: Apache-2.0
#include "repodata/repomd.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace repoupdate {
namespace {

const std::string k_head =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<repomd xmlns=\"http://linux.duke.edu/metadata/repo\" "
    "xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n";

std::string data(const std::string& type, const std::string& timestamp = "1795369177") {
  return "  <data type=\"" + type + "\">\n    <checksum type=\"sha256\">1cb6</checksum>\n" +
         "    <open-checksum type=\"sha256\">e1e2</open-checksum>\n    <location href=\"repodata/1cb6-" + type +
         ".xml.gz\"/>\n    <timestamp>" + timestamp +
         "</timestamp>\n    <size>134</size>\n    <open-size>167</open-size>\n  </data>\n";
}

std::string three() {
  return data("primary") + data("filelists") + data("other");
}

std::string document(const std::string& inside) {
  return k_head + inside + "</repomd>\n";
}

TEST(Repomd, ReadsTheFieldsOfARecord) {
  const auto repomd = parse_repomd(document("  <revision> 17 </revision>\n" + three()));
  ASSERT_TRUE(repomd) << repomd.error().text();
  EXPECT_EQ(repomd->revision, "17");
  ASSERT_EQ(repomd->records.size(), 3U);
  const RepomdRecord& record = *repomd->find(MetadataKind::filelists);
  EXPECT_EQ(record.location_href, "repodata/1cb6-filelists.xml.gz");
  EXPECT_EQ(record.checksum, (Checksum{HashType::sha256, "1cb6"}));
  EXPECT_EQ(record.open_checksum, (Checksum{HashType::sha256, "e1e2"}));
  EXPECT_EQ(record.size, 134U);
  EXPECT_EQ(record.open_size, 167U);
  EXPECT_EQ(record.timestamp, 1795369177);
  EXPECT_EQ(repomd->find("group"), nullptr);
}

TEST(Repomd, WhatIsNotTouchedIsWrittenAsItStood) {  // I9
  const std::string xml = document(
      "  <revision>a&amp;b</revision>\n  <tags>\n    <distro cpeid='x&amp;y'>&lt;D&gt;</distro><!-- é -->\n  "
      "</tags>\n" +
      three() +
      "  <data type=\"group\" x='1'><location xml:base='http://h/' "
      "href=\"a&amp;b.xml\"/>\n\t<rpm:odd><![CDATA[</data>]]></rpm:odd></data>\n");
  for (const char* bom : {"", "\xef\xbb\xbf"}) {
    const auto repomd = parse_repomd(bom + xml);
    ASSERT_TRUE(repomd) << repomd.error().text();
    EXPECT_EQ(repomd->revision, "a&b");
    EXPECT_EQ(repomd->find("group")->location_href, "a&b.xml");
    EXPECT_EQ(repomd->find("group")->location_base, "http://h/");
    EXPECT_EQ(write_repomd(*repomd), xml);
  }
}

TEST(Repomd, NamespacesAndUnknownElementsOfTheRootSurvive) {
  const std::string root = "<repomd xmlns='http://linux.duke.edu/metadata/repo' xmlns:x='urn:x'>";
  const auto repomd = parse_repomd(
      root + three() + "<x:note/><contenthash type='sha256'>stale</contenthash><repoid>r</repoid></repomd>");
  ASSERT_TRUE(repomd) << repomd.error().text();
  const std::string written = write_repomd(*repomd);
  EXPECT_NE(written.find(root), std::string::npos) << written;
  EXPECT_NE(written.find("  <x:note/>\n  <repoid>r</repoid>\n"), std::string::npos) << written;
  EXPECT_EQ(written.find("contenthash"), std::string::npos) << written;
  EXPECT_TRUE(parse_repomd(written));
}

TEST(Repomd, ARevisionOfAnyCharactersStaysTheSame) {
  const auto repomd = parse_repomd(document("<revision>a&amp;&#13;&#10;&#9;&lt;b</revision>" + three()));
  ASSERT_TRUE(repomd) << repomd.error().text();
  EXPECT_EQ(repomd->revision, "a&\r\n\t<b");
  const auto again = parse_repomd(write_repomd(*repomd));
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->revision, repomd->revision);
}

TEST(Repomd, WritesRecordsAsCreaterepoDoes) {
  auto repomd = parse_repomd(document("  <revision>17</revision>\n" + three()));
  ASSERT_TRUE(repomd);
  repomd->root_tag.clear();
  for (auto& record : repomd->records) record.raw.clear();
  EXPECT_EQ(write_repomd(*repomd), document("  <revision>17</revision>\n" + three()));
}

TEST(Repomd, TimestampsAreRoundedDown) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"1795369177.99", 1795369177},
      {" 5\n", 5},
      {"-1.5", -2},
      {"-1.0", -1},
      {"", 0},
      {"soon", 0},
      {"-9223372036854775808.5", std::numeric_limits<std::int64_t>::min()}};
  for (const auto& [text, timestamp] : cases) {
    const auto repomd = parse_repomd(document(three() + data("group", text)));
    ASSERT_TRUE(repomd) << repomd.error().text();
    EXPECT_EQ(repomd->find("group")->timestamp, timestamp) << text;
  }
}

TEST(Repomd, ChecksumsMayBeAbsentAndAreLowerCased) {
  std::string xml = document("<data type='primary'><location href='p'/></data>" + data("filelists") + data("other"));
  xml.replace(xml.find("1cb6<"), 4, "1CB6");
  const auto repomd = parse_repomd(xml);
  ASSERT_TRUE(repomd) << repomd.error().text();
  EXPECT_FALSE(repomd->find("primary")->checksum);
  EXPECT_FALSE(repomd->find("primary")->size);
  EXPECT_EQ(repomd->find("filelists")->checksum->hex, "1cb6");
}

TEST(Repomd, RefusesWhatCannotBeTrusted) {
  const auto at = [](const std::string& href) {
    return document(three() + "<data type='group'><location href='" + href + "'/></data>");
  };
  const std::string corrupt[] = {"",
                                 "<repomd>",
                                 "not xml",
                                 "<html/>",
                                 document(""),
                                 document(data("primary") + data("other")),
                                 document(three() + data("primary")),
                                 document(three() + "<data><location href='a'/></data>"),
                                 document(three() + "<data type='group'/>"),
                                 at("/etc/passwd"),
                                 at("../secret"),
                                 at("a/../../b"),
                                 at("a/.."),
                                 at("http://other/a"),
                                 at("a&#10;b"),
                                 at(""),
                                 document(three()) + "<more/>",
                                 "<!DOCTYPE repomd [<!ENTITY a \"aaaa\">]>" + document(three()).substr(39),
                                 std::string(k_max_repomd_size + 1, ' ')};
  for (const std::string& xml : corrupt) {
    const auto repomd = parse_repomd(xml);
    ASSERT_TRUE(repomd.failed_with(ErrorKind::corrupt)) << xml.substr(0, 1000);
    EXPECT_TRUE(repomd.error().message.starts_with("repomd.xml: ")) << repomd.error().message;
  }
  EXPECT_TRUE(parse_repomd(at("a..b/..c")));
}

TEST(Repomd, HrefsAreKeys) {
  std::string xml = document(three());
  xml.replace(xml.find("repodata/1cb6-primary"), 8, "././/repodata/");
  const auto repomd = parse_repomd(xml);
  ASSERT_TRUE(repomd) << repomd.error().text();
  EXPECT_EQ(repomd->find("primary")->location_href, "repodata/1cb6-primary.xml.gz");
}

TEST(Repomd, NamesTheMissingRecord) {
  EXPECT_NE(parse_repomd(document(data("primary") + data("other"))).error().message.find("filelists"),
            std::string::npos);
}

TEST(Repomd, RefusesWhatIsNotPossibleHere) {
  std::string base = document(three()), type = base, encoding = base;
  base.replace(base.find("<location"), 9, "<location xml:base='http://h/'");
  type.replace(type.find("sha256"), 6, "sha999");
  encoding.replace(encoding.find("UTF-8"), 5, "ISO-8859-1");
  for (const std::string& xml : {base, type, encoding})
    EXPECT_TRUE(parse_repomd(xml).failed_with(ErrorKind::unsupported)) << xml;
}

TEST(Repomd, LimitsRecordsAndDepth) {
  std::string many = three(), deep;
  for (std::size_t i = 0; i < k_max_repomd_records; ++i)
    many += "<data type='t" + std::to_string(i) + "'><location href='a'/></data>";
  EXPECT_TRUE(parse_repomd(document(many)).failed_with(ErrorKind::corrupt));
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_TRUE(parse_repomd(document(deep)).failed_with(ErrorKind::corrupt));
}

TEST(Repomd, RevisionOnlyGrows) {  // I13
  const SystemTime now{std::chrono::seconds(1'800'000'000)};
  const std::pair<const char*, const char*> cases[] = {{"", "1800000000"},
                                                       {"1700000000", "1800000000"},
                                                       {"1800000000", "1800000001"},
                                                       {"1900000000", "1900000001"},
                                                       {"0", "1"},
                                                       {"41", "42"},
                                                       {"999999999999999999", "1000000000000000000"},
                                                       {"9999999999999999999", "9999999999999999999"},
                                                       {"stable-7", "stable-7"},
                                                       {"-5", "-5"}};
  for (const auto& [old, next] : cases) EXPECT_EQ(next_revision(old, now), next) << old;
}

TEST(Repomd, DerivedRecordsAreThoseMadeFromThePackages) {  // I9
  for (const char* type : {"primary_db", "filelists_db", "other_db", "primary_zck", "filelists_zck", "other_zck",
                           "filelists-ext", "filelists-ext_zck"})
    EXPECT_TRUE(is_derived_record(type)) << type;
  for (const char* type : {"primary", "group", "group_gz", "group_zck", "updateinfo", "updateinfo_zck", "modules",
                           "susedata", "primary_else"})
    EXPECT_FALSE(is_derived_record(type)) << type;
}

}  // namespace
}  // namespace repoupdate
