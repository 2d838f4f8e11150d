// SPDX-License-Identifier: Apache-2.0
#include "repodata/package_scan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "repodata/careful_reader.hpp"
#include "repodata/fragment_scanner.hpp"

namespace repoupdate {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

constexpr std::string_view k_prolog = "<?xml version=\"1.0\"?>\r\n<metadata packages='>'>";
constexpr std::string_view k_trailer = "</metadata>\n";

using Spans = std::vector<PackageSpan>;
using Texts = std::vector<std::string>;

Texts texts_of(std::string_view piece, const Spans& spans) {
  Texts texts;
  for (const PackageSpan& span : spans) texts.emplace_back(piece.substr(span.begin, span.end - span.begin));
  return texts;
}

// What the full parser sees; nothing when it refuses the document.
std::optional<Spans> spans_of_full_parser(std::string_view piece) {
  CarefulReader careful(MetadataKind::primary);
  for (const std::string_view part : {k_prolog, piece, k_trailer})
    if (!careful.feed(part)) return std::nullopt;
  if (!careful.finish()) return std::nullopt;
  Spans spans;
  for (const CarefulPackage& package : careful.listing().packages)
    spans.push_back({package.begin - k_prolog.size(), package.end - k_prolog.size()});
  return spans;
}

// What the streaming scanner finds in pieces of random sizes.
Result<Spans> spans_of_fragment_scanner(std::string_view piece, std::mt19937& random) {
  FragmentScanner scanner(MetadataKind::primary);
  const std::string document = std::string(k_prolog).append(piece).append(k_trailer);
  Spans spans;
  std::size_t at = 0;
  for (std::string_view left = document;;) {
    const std::string_view fed = left.substr(0, random() % 40 + 1);
    left.remove_prefix(fed.size());
    scanner.feed(fed);
    if (left.empty()) scanner.finish();
    for (auto item = scanner.next();; item = scanner.next()) {
      if (!item) return std::move(item).error();
      if (!*item) break;
      const std::size_t begin = at;
      at += (*item)->bytes.size();
      if ((*item)->kind == MetadataItem::Kind::fragment)
        spans.push_back({begin - k_prolog.size(), at - k_prolog.size()});
    }
    if (left.empty()) return spans;
  }
}

TEST(PackageScan, FindsThePackages) {
  struct Case {
    std::string piece;
    Texts packages;
  };
  const Case cases[] = {
      {"", {}},
      {" \r\n\t<!-- <package> --><?a <package>?><!---->", {}},
      {"<package>a</package><package>b</package>", {"<package>a</package>", "<package>b</package>"}},
      {"\n<package a=\"/>\" />\n<package/>\n", {"<package a=\"/>\" />", "<package/>"}},
      {"<package x='>\"' y=\"'</\">1</package>", {"<package x='>\"' y=\"'</\">1</package>"}},
      {"<package><!--</package>--></package ><!--x-->", {"<package><!--</package>--></package >"}},
      {"<!--->--><package><!--></package>--></package>", {"<package><!--></package>--></package>"}},
      {"<package><!-- - -- ->--></package>", {"<package><!-- - -- ->--></package>"}},
      {"<package><![CDATA[</package>]]]]><![CDATA[>]]></package>",
       {"<package><![CDATA[</package>]]]]><![CDATA[>]]></package>"}},
      {"<package><?c </package> ? ?></package>", {"<package><?c </package> ? ?></package>"}},
      {"<package\t><packager>x</packager><package-x/><packages></packages></package\n>",
       {"<package\t><packager>x</packager><package-x/><packages></packages></package\n>"}},
      {"<package>1<package/><package>2</package>3</package>", {"<package>1<package/><package>2</package>3</package>"}},
  };
  for (const auto& [piece, packages] : cases) {
    const auto spans = scan_packages(piece);
    ASSERT_TRUE(spans) << piece << ": " << spans.error().text();
    EXPECT_THAT(texts_of(piece, *spans), ElementsAreArray(packages)) << piece;
  }
}

// The text is gone through in blocks of 64 bytes; nothing may depend on where they begin.
TEST(PackageScan, FindsAnEndWhereverItLies) {
  const std::string hidden[] = {"<!--</package>-->", "<?p </package>?>", "<![CDATA[</package>]]>",
                                "<package></package>", "<packager/>"};
  for (const std::string& part : hidden) {
    for (std::size_t filler = 0; filler < 140; ++filler) {
      const std::string package =
          "<package>" + std::string(filler, 'p') + part + std::string(filler / 2, '<' + 1) + "</package>";
      const std::string piece = package + '\n' + package;
      const auto spans = scan_packages(piece);
      ASSERT_TRUE(spans) << piece << ": " << spans.error().text();
      EXPECT_THAT(texts_of(piece, *spans), ElementsAre(package, package));
    }
  }
}

TEST(PackageScan, RefusesWhatStandsBetweenPackages) {
  struct Refused {
    const char* piece;
    ErrorKind kind;
  };
  const Refused refused[] = {
      {"text<package/>", ErrorKind::unsupported},
      {"<package/>\ntext", ErrorKind::unsupported},
      {"<package/>&#32;<package/>", ErrorKind::unsupported},
      {"<package/>\xc2\xa0", ErrorKind::unsupported},
      {"<c:package></c:package>", ErrorKind::unsupported},
      {"<packages/>", ErrorKind::unsupported},
      {"<![CDATA[ ]]>", ErrorKind::unsupported},
      {"<!DOCTYPE metadata>", ErrorKind::unsupported},
      {"</metadata>", ErrorKind::corrupt},
      {"<package/></package>", ErrorKind::corrupt},
  };
  for (const auto& [piece, kind] : refused) {
    const auto spans = scan_packages(piece);
    ASSERT_FALSE(spans) << piece;
    EXPECT_EQ(spans.error().kind, kind) << piece << ": " << spans.error().text();
    EXPECT_EQ(spans.error().message.find('\n'), std::string::npos);
  }
}

TEST(PackageScan, TruncationIsNeverTakenForTheEnd) {
  const std::string package =
      "<package a='>'><!-- </package> --><?p </package>?><![CDATA[</package>]]><package>x</package></package>";
  ASSERT_TRUE(scan_packages(package));
  for (std::size_t size = 1; size < package.size(); ++size)
    EXPECT_TRUE(scan_packages(package.substr(0, size)).failed_with(ErrorKind::corrupt)) << package.substr(0, size);
  const std::string gap = "<!-- > --> <?p ->?>";
  ASSERT_TRUE(scan_packages(gap));
  for (const std::size_t size : {1, 2, 3, 4, 7, 8, 9, 12, 13, 17, 18})
    EXPECT_TRUE(scan_packages(gap.substr(0, size)).failed_with(ErrorKind::corrupt)) << gap.substr(0, size);
}

TEST(PackageScan, LimitsATagAndAPackage) {
  const std::string long_tag = "<package a=\"" + std::string(k_max_tag_size, 'x') + "\"/>";
  EXPECT_TRUE(scan_packages(long_tag).failed_with(ErrorKind::corrupt));

  std::string piece = "<package>" + std::string(k_max_fragment_size, ' ') + "</package>";
  EXPECT_TRUE(scan_packages(piece).failed_with(ErrorKind::corrupt));
  FragmentScanner scanner(MetadataKind::primary);
  scanner.feed("<metadata>");
  scanner.feed(piece);
  EXPECT_TRUE(scanner.next());
  EXPECT_TRUE(scanner.next().failed_with(ErrorKind::corrupt));
}

// Packages with whatever may look like the end of one, well-formed.
class RandomPiece {
public:
  explicit RandomPiece(std::mt19937& random) : m_random(random) {}

  std::string text() {
    std::string text = any(k_between);
    for (auto packages = m_random() % 6; packages > 0; --packages) {
      add_package(text, 0);
      text += any(k_between);
    }
    return text;
  }

private:
  using Parts = std::vector<std::string>;
  const Parts k_between{"\n", "", "  ", "<!-- <package> -->", "<?q <package?>", "\r\n\t", "<!----> <?q?>"};
  const Parts k_attributes{"", " n='>'", " a=\"/>\" b='\"'", "\r\n\tp = '</package>&gt;'", " package=''"};
  const Parts k_inside{"<a/>",
                       "text",
                       "\r\n  <file type=\"dir\">/usr/share/package</file>\r\n",
                       "&lt;/package&gt;",
                       "<![CDATA[</package>]]>",
                       "<![CDATA[<package>]] ]]]>",
                       "<!--</package>-->",
                       "<!-- ' - > \" -->",
                       "<?p </package>?>",
                       "<packager>x</packager>",
                       "<b c='>' d=\"/>\"/>",
                       "<rpm:entry name=\"a > b /\"/>",
                       "]]&gt;",
                       "<p/>",
                       "<package.x></package.x>",
                       "\xc3\xa9"};

  const std::string& any(const Parts& parts) { return parts[m_random() % parts.size()]; }

  void add_package(std::string& text, int depth) {
    std::string attributes = any(k_attributes);
    std::replace(attributes.begin(), attributes.end(), '<', '(');  // may not stand in a value
    text += "<package" + attributes;
    if (m_random() % 8 == 0) {
      text += "/>";
      return;
    }
    text += '>';
    for (auto parts = m_random() % 12; parts > 0; --parts) {
      text += any(k_inside);
      if (depth < 3 && m_random() % 8 == 0) add_package(text, depth + 1);
    }
    text += m_random() % 4 == 0 ? "</package\r\n>" : "</package>";
  }

  std::mt19937& m_random;
};

TEST(PackageScan, AgreesWithTheFullParser) {
  std::mt19937 random(20'260'214);
  for (int round = 0; round < 3000; ++round) {
    const std::string piece = RandomPiece(random).text();
    const auto expected = spans_of_full_parser(piece);
    ASSERT_TRUE(expected) << piece;
    const auto spans = scan_packages(piece);
    ASSERT_TRUE(spans) << piece << ": " << spans.error().text();
    EXPECT_EQ(*spans, *expected) << piece;
  }
}

// Nothing of this need be well-formed: both scanners accept or refuse the same, and the full parser sees no other
// packages in what it accepts.
TEST(PackageScan, AgreesWithFragmentScanner) {
  const std::vector<std::string> parts{"<package", "</package", "<package>", "</package>", "<package/>", ">",  "/>",
                                       "<!--",     "-->",       "<![CDATA[", "]]>",        "<?",         "?>", "'",
                                       "\"",       " ",         "\n",        "x",          "</",         "<p"};
  std::mt19937 random(20'260'215);
  std::size_t accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string piece = round % 2 == 0 ? RandomPiece(random).text() : "<package>";
    for (auto changes = random() % 8; changes > 0; --changes)
      piece.insert(random() % (piece.size() + 1), parts[random() % parts.size()]);
    const auto spans = scan_packages(piece);
    const auto expected = spans_of_fragment_scanner(piece, random);
    ASSERT_EQ(spans.ok(), expected.ok()) << piece << ": " << (spans ? expected : spans).error().text();
    const auto seen = spans_of_full_parser(piece);
    if (spans) {
      ++accepted;
      EXPECT_EQ(*spans, *expected) << piece;
      EXPECT_EQ(*spans, seen.value_or(*spans)) << piece;
    } else {
      EXPECT_TRUE(!seen || spans.error().kind == ErrorKind::unsupported) << piece << ": " << spans.error().text();
    }
  }
  EXPECT_GT(accepted, 2000);
}

}  // namespace
}  // namespace repoupdate
