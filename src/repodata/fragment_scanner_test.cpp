// SPDX-License-Identifier: Apache-2.0
#include "repodata/fragment_scanner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "repodata/careful_reader.hpp"

namespace repoupdate {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

// "P<metadata>", "G\n", "F<package/>", "T</metadata>"
using Items = std::vector<std::string>;

Result<void> drain(FragmentScanner& scanner, Items& items) {
  for (;;) {
    auto item = scanner.next();
    if (!item) return item.error();
    if (!*item) return {};
    items.push_back("PGFT"[static_cast<std::size_t>((*item)->kind)] + std::string((*item)->bytes));
  }
}

Result<Items> scan(const std::vector<std::string_view>& pieces, MetadataKind kind = MetadataKind::primary) {
  FragmentScanner scanner(kind);
  Items items;
  for (const std::string_view piece : pieces) {
    scanner.feed(piece);
    if (auto drained = drain(scanner, items); !drained) return std::move(drained).error();
  }
  scanner.finish();
  if (auto drained = drain(scanner, items); !drained) return std::move(drained).error();
  return items;
}

Result<Items> scan_by_bytes(std::string_view xml) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < xml.size(); ++i) pieces.push_back(xml.substr(i, 1));
  return scan(pieces);
}

struct Case {
  const char* name;
  std::string xml;
  Items items;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {"empty",
       "<?xml version=\"1.0\"?>\n<metadata packages=\"0\">\n</metadata>",
       {"P<?xml version=\"1.0\"?>\n<metadata packages=\"0\">", "G\n", "T</metadata>"}},
      {"two",
       "<metadata>\n<package>a</package>\n<package>b</package>\n</metadata>\n",
       {"P<metadata>", "G\n", "F<package>a</package>", "G\n", "F<package>b</package>", "G\n", "T</metadata>\n"}},
      {"no white space",
       "<metadata><package>a</package><package>b</package></metadata>",
       {"P<metadata>", "F<package>a</package>", "F<package>b</package>", "T</metadata>"}},
      {"empty root", "<metadata a='>'/>\n", {"P<metadata a='>'/>", "T\n"}},
      {"empty root at the end", "<metadata/>", {"P<metadata/>", "T"}},
      {"empty package",
       "<metadata><package a=\"/>\" /><package/></metadata>",
       {"P<metadata>", "F<package a=\"/>\" />", "F<package/>", "T</metadata>"}},
      {"quotes",
       "<metadata a='\">' b=\">'\"><package x='>\"' y=\"'</\">1</package></metadata>",
       {"P<metadata a='\">' b=\">'\">", "F<package x='>\"' y=\"'</\">1</package>", "T</metadata>"}},
      {"comments",
       "<!-- <metadata> --><metadata><!-- <package> --><package><!--</package>--></package "
       "><!--x--></metadata><!--y-->",
       {"P<!-- <metadata> --><metadata>", "G<!-- <package> -->", "F<package><!--</package>--></package >", "G<!--x-->",
        "T</metadata><!--y-->"}},
      {"comment ends",
       "<metadata><package><!-- - -- ->--></package><!----></metadata>",
       {"P<metadata>", "F<package><!-- - -- ->--></package>", "G<!---->", "T</metadata>"}},
      {"cdata",
       "<metadata><package><![CDATA[</package>]]]]><![CDATA[>]]></package></metadata>",
       {"P<metadata>", "F<package><![CDATA[</package>]]]]><![CDATA[>]]></package>", "T</metadata>"}},
      {"instructions",
       "<?a <metadata> ?><metadata><?b <package>?><package><?c </package> ? ?></package><?d?></metadata "
       "><?e?>",
       {"P<?a <metadata> ?><metadata>", "G<?b <package>?>", "F<package><?c </package> ? ?></package>", "G<?d?>",
        "T</metadata ><?e?>"}},
      {"names that begin alike",
       "<metadata><package\t><packager>x</packager><package-x/><packages></packages></package\n></metadata>",
       {"P<metadata>", "F<package\t><packager>x</packager><package-x/><packages></packages></package\n>",
        "T</metadata>"}},
      {"nested",
       "<metadata><package>1<package/><package>2</package>3</package></metadata>",
       {"P<metadata>", "F<package>1<package/><package>2</package>3</package>", "T</metadata>"}},
      {"byte order mark",
       "\xef\xbb\xbf<metadata>\r\n</metadata>\r\n",
       {"P\xef\xbb\xbf<metadata>", "G\r\n", "T</metadata>\r\n"}},
  };
  return all;
}

TEST(FragmentScanner, FindsTheItems) {
  for (const Case& test : cases()) {
    const auto items = scan({test.xml});
    ASSERT_TRUE(items) << test.name << ": " << items.error().text();
    EXPECT_THAT(*items, ElementsAreArray(test.items)) << test.name;
  }
}

TEST(FragmentScanner, ItemsDoNotDependOnThePieces) {
  for (const Case& test : cases()) {
    const std::string_view xml = test.xml;
    for (std::size_t at = 0; at <= xml.size(); ++at) {
      const auto items = scan({xml.substr(0, at), xml.substr(at)});
      ASSERT_TRUE(items) << test.name << " split at " << at << ": " << items.error().text();
      EXPECT_THAT(*items, ElementsAreArray(test.items)) << test.name << " split at " << at;
    }
    const auto items = scan_by_bytes(xml);
    ASSERT_TRUE(items) << test.name << ": " << items.error().text();
    EXPECT_THAT(*items, ElementsAreArray(test.items)) << test.name;
  }
}

TEST(FragmentScanner, TruncationIsNeverTakenForTheEnd) {
  for (const Case& test : cases()) {
    const std::string& trailer = test.items.back();  // 'T', then what may lack its last bytes, but not the end tag
    const std::size_t begin = test.xml.size() - (trailer.size() - 1);
    const std::size_t end = trailer.starts_with("T</") ? begin + trailer.find('>') : begin;
    for (std::size_t size = 0; size < end; ++size)
      EXPECT_TRUE(scan({std::string_view(test.xml).substr(0, size)}).failed_with(ErrorKind::corrupt))
          << test.name << " cut at " << size;
  }
}

TEST(FragmentScanner, RefusesWhatCannotBeEdited) {
  struct Refused {
    const char* xml;
    ErrorKind kind;
  };
  const Refused refused[] = {
      {"", ErrorKind::corrupt},
      {"hello", ErrorKind::corrupt},
      {"hello <metadata></metadata>", ErrorKind::corrupt},
      {"<html></html>", ErrorKind::corrupt},
      {"<metadatas></metadatas>", ErrorKind::corrupt},
      {"<filelists></filelists>", ErrorKind::corrupt},
      {"<rpm:metadata></rpm:metadata>", ErrorKind::corrupt},
      {"</metadata>", ErrorKind::corrupt},
      {"<!DOCTYPE metadata [<!ENTITY a \"b\">]><metadata></metadata>", ErrorKind::unsupported},
      {"<metadata><c:package></c:package></metadata>", ErrorKind::unsupported},
      {"<metadata><packages/></metadata>", ErrorKind::unsupported},
      {"<metadata>text<package/></metadata>", ErrorKind::unsupported},
      {"<metadata>&amp;</metadata>", ErrorKind::unsupported},
      {"<metadata><![CDATA[ ]]></metadata>", ErrorKind::unsupported},
      {"<metadata></filelists>", ErrorKind::corrupt},
      {"<metadata></package></metadata>", ErrorKind::corrupt},
      {"<metadata></metadata><metadata></metadata>", ErrorKind::corrupt},
      {"<metadata></metadata>text", ErrorKind::corrupt},
      {"<metadata/><package/>", ErrorKind::corrupt},
      {"<metadata><package></metadata>", ErrorKind::corrupt},
      {"<metadata><package><!-- </package></metadata>", ErrorKind::corrupt},
  };
  for (const auto& [xml, kind] : refused) {
    for (const auto& items : {scan({xml}), scan_by_bytes(xml)}) {
      ASSERT_FALSE(items) << xml;
      EXPECT_EQ(items.error().kind, kind) << xml << ": " << items.error().text();
      EXPECT_EQ(items.error().message.find('\n'), std::string::npos);
    }
  }
}

TEST(FragmentScanner, LimitsATag) {
  const std::string long_tag = "<metadata a=\"" + std::string(k_max_tag_size, 'x');
  EXPECT_TRUE(scan({long_tag}).failed_with(ErrorKind::corrupt));
}

TEST(FragmentScanner, KnowsTheRootOfEachKind) {
  for (const auto& about : k_metadata_kinds) {
    const std::string root(about.root);
    const std::string xml = '<' + root + "></" + root + '>';
    const auto items = scan({xml}, about.kind);
    ASSERT_TRUE(items) << items.error().text();
    EXPECT_THAT(*items, ElementsAre("P<" + root + '>', "T</" + root + '>'));
  }
}

// Documents from pieces that look like something else, compared with where the full parser sees the packages.
TEST(FragmentScanner, AgreesWithTheFullParser) {
  const std::vector<std::string> inside{"<a/>",
                                        "text",
                                        "&lt;/package&gt;",
                                        "<![CDATA[</package>]]>",
                                        "<!--</package>-->",
                                        "<?p </package>?>",
                                        "<packager>x</packager>",
                                        "<b c='>' d=\"/>\"/>",
                                        "\n",
                                        "]]&gt;",
                                        "<package/>",
                                        "<package x='1'>y</package>",
                                        "<e f='</package'></e>",
                                        "\xc3\xa9"};
  const std::vector<std::string> between{"\n", "", "  ", "<!-- <package> -->", "<?q <package?>", "\r\n\t"};
  std::mt19937 random(20'260'131);
  const auto any = [&](const auto& list) { return list[random() % list.size()]; };
  for (int round = 0; round < 400; ++round) {
    std::string xml = any(between) + "<metadata packages='?'>";
    for (auto packages = random() % 6; packages > 0; --packages) {
      xml += any(between) + "<package n='>'>";
      for (auto parts = random() % 8; parts > 0; --parts) {
        std::string part = any(inside);
        if (part.find("='</") != std::string::npos) part = "<e f='&lt;/package'></e>";  // '<' may not stand there
        xml += part;
      }
      xml += "</package>";
    }
    xml += any(between) + "</metadata>" + any(between);

    CarefulReader careful(MetadataKind::primary);
    ASSERT_TRUE(careful.feed(xml)) << xml;
    ASSERT_TRUE(careful.finish()) << xml;
    Items expected;
    for (const auto& package : careful.listing().packages)
      expected.push_back('F' + xml.substr(package.begin, package.end - package.begin));

    const std::size_t cut = random() % (xml.size() + 1);
    const std::string_view view = xml;
    const auto items = scan({view.substr(0, cut), view.substr(cut)});
    ASSERT_TRUE(items) << xml << ": " << items.error().text();
    Items fragments;
    std::string all;
    for (const std::string& item : *items) {
      if (item[0] == 'F') fragments.push_back(item);
      all += item.substr(1);
    }
    EXPECT_EQ(fragments, expected) << xml;
    EXPECT_EQ(all, xml);
  }
}

}  // namespace
}  // namespace repoupdate
