// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_reader.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "repodata/careful_reader.hpp"
#include "repodata/sample_metadata.hpp"
#include "repodata/tag_walker.hpp"

namespace repoupdate {
namespace {

IndexEntry carefully(const std::string& fragment) {
  CarefulReader reader(MetadataKind::primary);
  EXPECT_TRUE(reader.feed("<metadata xmlns:rpm='r'>" + fragment + "</metadata>")) << fragment;
  EXPECT_TRUE(reader.finish()) << fragment;
  return reader.listing().packages.at(0).entry;
}

TEST(FragmentReader, ReadsWhatCreaterepoWrites) {
  const PackageRecord record = sample::package("gtk+-c++_lib&<é>", "1.0~rc1^git", "sub dir/");
  const auto entry = read_primary_fragment(record.fragments[MetadataKind::primary]);
  ASSERT_TRUE(entry) << entry.error().text();
  EXPECT_EQ(entry->nevra, record.nevra);
  EXPECT_EQ(entry->pkgid, record.pkgid.hex);
  EXPECT_EQ(entry->location_href, record.location_href);
  EXPECT_EQ(entry->location_base, "");
  EXPECT_EQ(entry->size, record.size);
  EXPECT_EQ(entry->time_file, record.time_file);
  for (const MetadataKind kind : {MetadataKind::filelists, MetadataKind::other})
    EXPECT_EQ(*read_fragment_pkgid(record.fragments[kind]), record.pkgid.hex);
}

TEST(FragmentReader, AgreesWithTheFullParserWhateverTheSpelling) {
  std::vector<std::string> children{
      "<name><!-- c -->a&#x26;<![CDATA[<b>&amp;]]>\xc3\xa9&#233;&#x1F600;</name>",
      "<arch >x86_64</arch>",
      "<version rel='2&apos;' ver = \"1&quot;~&gt;\" epoch='3' />",
      "<checksum pkgid=\"YES\" type='sha256'>abc</checksum>",
      "<location xml:base='http://x/?a&amp;b' href=\"d/a b\tc&#9;&amp;&lt;.rpm\"></location>",
      "<size installed='1' package='5000000000'/>",
      "<time build='1' file='1700000000'/>",
      "<format><name>no</name><location href='no'/><version ver='no'/><time file='1'/></format>",
      "<summary>a\r\nb</summary><?pi <name>no</name>?><!-- <arch>no</arch> -->",
  };
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::shuffle(children.begin(), children.end(), random);
    std::string fragment = "<package a='>b' type=\"rpm\">";
    for (const auto& child : children) fragment += child;
    fragment += "</package>";
    const auto entry = read_primary_fragment(fragment);
    ASSERT_TRUE(entry) << entry.error().text() << fragment;
    EXPECT_EQ(*entry, carefully(fragment)) << fragment;
  }
}

TEST(FragmentReader, MissingEpochIsZeroAndSizeAndTimeMayBeAbsent) {
  const auto entry = read_primary_fragment(
      "<package><name>a</name><arch>noarch</arch><version ver=\"1\" rel=\"2\"/><checksum>c</checksum>"
      "<location href=\"a.rpm\"/></package>");
  ASSERT_TRUE(entry) << entry.error().text();
  EXPECT_EQ(entry->nevra, (Nevra{"a", "0", "1", "2", "noarch"}));
  EXPECT_EQ(entry->size, 0U);
}

TEST(FragmentReader, NamesWhatIsMissing) {
  const std::string whole = sample::package("a").fragments[MetadataKind::primary];
  for (const std::string child : {"name", "arch", "version", "checksum", "location"}) {
    std::string fragment = whole;
    fragment.replace(fragment.find('<' + child), child.size() + 1, "<x" + child);
    const auto entry = read_primary_fragment(fragment);
    ASSERT_TRUE(entry.failed_with(ErrorKind::unsupported)) << child;
    EXPECT_NE(entry.error().message.find('<' + child + '>'), std::string::npos) << entry.error().text();
  }
  EXPECT_TRUE(read_fragment_pkgid("<package name='a'/>").failed_with(ErrorKind::unsupported));
}

TEST(FragmentReader, UnknownReferencesAreRefused) {
  for (const std::string reference : {"&nbsp;", "&#0;", "&#xD800;", "&#x110000;", "&amp", "&#;", "&#x;", "&;"}) {
    const std::string fragment = "<package><name>" + reference + "</name></package>";
    EXPECT_TRUE(read_primary_fragment(fragment).failed_with(ErrorKind::unsupported)) << reference;
  }
}

TEST(XmlText, EscapedTextReadsBack) {
  const std::string text = "a&b<c>d\"e'f ü";
  EXPECT_EQ(*unescape_text(escape(text)), text);
  EXPECT_EQ(*attribute(" x=\"" + escape(text) + '"', "x"), text);
}

TEST(XmlText, AttributesAreFoundByTheirWholeName) {
  const std::string_view attributes = " xmlns:packages='1' apackages=\"packages='2'\" packages = '3' ";
  EXPECT_EQ(raw_attribute(attributes, "packages"), "3");
  EXPECT_EQ(raw_attribute(attributes, "ackages"), std::nullopt);
  EXPECT_EQ(raw_attribute(" a", "a"), std::nullopt);
  EXPECT_EQ(raw_attribute(" a=b", "a"), std::nullopt);
  EXPECT_EQ(raw_attribute(" a='b", "a"), std::nullopt);
}

}  // namespace
}  // namespace repoupdate
