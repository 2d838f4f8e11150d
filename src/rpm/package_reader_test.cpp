// SPDX-License-Identifier: Apache-2.0
// Packages are made here with librpm, tag by tag, since rpmbuild refuses to make most of the bad ones.
// tests/test_fidelity.py holds real ones against createrepo_c.
#include "rpm/package_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rpm/header.h>
#include <rpm/rpmtd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "base/parallel.hpp"
#include "rpm/header_reader.hpp"

namespace repoupdate {
namespace {

using testing::HasSubstr;
using testing::Not;

using Change = std::function<void(Header)>;

void put(Header header, rpmTagVal tag, const char* text) {
  headerPutString(header, tag, text);
}
void put(Header header, rpmTagVal tag, std::vector<const char*> texts) {
  headerPutStringArray(header, tag, texts.data(), static_cast<rpm_count_t>(texts.size()));
}
void put(Header header, rpmTagVal tag, std::vector<std::uint32_t> numbers) {
  headerPutUint32(header, tag, numbers.data(), static_cast<rpm_count_t>(numbers.size()));
}
void replace(Header header, rpmTagVal tag, const char* text) {
  headerDel(header, tag);
  put(header, tag, text);
}

// As in a file: the magic, then what headerExport gives.
std::string header_bytes(Header header) {
  unsigned int size = 0;
  void* const blob = headerExport(header, &size);
  std::string bytes("\x8e\xad\xe8\x01\0\0\0\0", 8);
  bytes.append(static_cast<const char*>(blob), size);
  std::free(blob);
  return bytes;
}

void put_file(Header header, const char* folder, const char* name) {
  put(header, RPMTAG_DIRNAMES, std::vector{folder});
  put(header, RPMTAG_BASENAMES, std::vector{name});
  put(header, RPMTAG_DIRINDEXES, std::vector<std::uint32_t>{0});
  put(header, RPMTAG_FILEFLAGS, std::vector<std::uint32_t>{0});
  const std::uint16_t mode = 0100644;
  headerPutUint16(header, RPMTAG_FILEMODES, &mode, 1);
}

void put_changelog(Header header, std::vector<const char*> authors, std::vector<const char*> texts) {
  std::vector<std::uint32_t> times;
  for (std::uint32_t i = 0; i < authors.size(); ++i) times.push_back(1'700'000'000 - i * 86'400);
  put(header, RPMTAG_CHANGELOGTIME, times);
  put(header, RPMTAG_CHANGELOGNAME, std::move(authors));
  put(header, RPMTAG_CHANGELOGTEXT, std::move(texts));
}

// The oldest packages have no immutable region around their tags.
enum class Region { immutable, none };

// Lead, signature with the header's digest, header. No payload, which nobody here would read.
std::string make_package(const Change& change = {}, Region region = Region::immutable) {
  const HeaderPtr header(headerNew());
  put(header.get(), RPMTAG_NAME, "tiny");
  put(header.get(), RPMTAG_VERSION, "1.0~rc1");
  put(header.get(), RPMTAG_RELEASE, "2");
  put(header.get(), RPMTAG_ARCH, "noarch");
  put(header.get(), RPMTAG_SUMMARY, "A tiny package");
  put(header.get(), RPMTAG_DESCRIPTION, "Described.");
  put(header.get(), RPMTAG_SOURCERPM, "tiny-1.0~rc1-2.src.rpm");
  if (change) change(header.get());
  const HeaderPtr whole(headerReload(headerLink(header.get()), RPMTAG_HEADERIMMUTABLE));
  const auto main_part = header_bytes(region == Region::immutable ? whole.get() : header.get());

  const HeaderPtr signature(headerNew());
  put(signature.get(), static_cast<rpmTagVal>(RPMSIGTAG_SHA256), sha256_hex(main_part).c_str());
  const HeaderPtr whole_signature(headerReload(headerLink(signature.get()), RPMTAG_HEADERSIGNATURES));
  std::string file("\xed\xab\xee\xdb\x03\x00\x00\x00", 8);
  file.append(70, '\0');
  file.append("\0\5", 2);  // header-style signature
  file.append(16, '\0');
  file += header_bytes(whole_signature.get());
  file.append((8 - file.size() % 8) % 8, '\0');
  return file + main_part;
}

Result<PackageRecord> read(const std::string& file, const PackageReaderOptions& options = {},
                           const std::string& href = "some/where/tiny.rpm") {
  const auto probe = probe_header(file, file.size());
  if (!probe) return probe.error();
  PackageFacts facts;
  facts.pkgid.hex.assign(64, 'a');
  facts.location_href = href;
  facts.size = 5'000'000'000;
  facts.time_file = 1'700'000'000;
  return read_package(file, *probe->range, facts, options);
}

PackageRecord record_of(const Change& change, const PackageReaderOptions& options = {}) {
  auto record = read(make_package(change), options);
  EXPECT_TRUE(record) << record.error().text();
  return record ? *std::move(record) : PackageRecord{};
}

std::string refusal_of(const Change& change) {
  const auto record = read(make_package(change));
  if (record) return "not refused";
  EXPECT_EQ(record.error().kind, ErrorKind::invalid);
  return record.error().message;
}

TEST(PackageReader, TakesTheIdentityFromTheHeaderAndTheRestFromTheFacts) {  // semantics 11, 14, 18
  const auto record = record_of([](Header header) { put(header, RPMTAG_EPOCH, std::vector<std::uint32_t>{3}); });
  EXPECT_EQ(record.nevra, (Nevra{"tiny", "3", "1.0~rc1", "2", "noarch"}));
  EXPECT_EQ(record.pkgid.hex, std::string(64, 'a'));
  EXPECT_EQ(record.location_href, "some/where/tiny.rpm");
  EXPECT_EQ(record.size, 5'000'000'000u);
  EXPECT_EQ(record.time_file, 1'700'000'000);
  const auto& primary = record.fragments[MetadataKind::primary];
  EXPECT_THAT(primary, HasSubstr("<version epoch=\"3\" ver=\"1.0~rc1\" rel=\"2\"/>"));
  EXPECT_THAT(primary, HasSubstr("<size package=\"5000000000\""));
  EXPECT_THAT(primary, HasSubstr("<time file=\"1700000000\""));
  EXPECT_THAT(primary, HasSubstr("<location href=\"some/where/tiny.rpm\"/>"));
}

TEST(PackageReader, FragmentsAreWholeElementsThatNameThePackage) {
  const auto record = record_of({});
  EXPECT_EQ(record.nevra.epoch, "0");
  for (const auto& kind : k_metadata_kinds) {
    const auto& fragment = record.fragments[kind.kind];
    EXPECT_TRUE(fragment.starts_with("<package ")) << fragment;
    EXPECT_TRUE(fragment.ends_with("</package>\n")) << fragment;
    EXPECT_THAT(fragment, HasSubstr(std::string(64, 'a')));
  }
}

TEST(PackageReader, StatesTheHeaderRange) {
  const auto file = make_package();
  const auto range = *probe_header(file, file.size())->range;
  const auto expected =
      "<rpm:header-range start=\"" + std::to_string(range.start) + "\" end=\"" + std::to_string(range.end) + "\"/>";
  EXPECT_THAT(read(file)->fragments[MetadataKind::primary], HasSubstr(expected));
}

TEST(PackageReader, HrefIsEscapedForXmlAndNotPercentEncoded) {  // semantics 12
  const auto record = read(make_package(), {}, "a b/libstdc++-1.0~rc1^git&<%20>.rpm");
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_THAT(record->fragments[MetadataKind::primary],
              HasSubstr("href=\"a b/libstdc++-1.0~rc1^git&amp;&lt;%20&gt;.rpm\""));
}

TEST(PackageReader, SourcePackageHasArchSrc) {  // semantics 15
  const auto record = record_of([](Header header) {
    headerDel(header, RPMTAG_SOURCERPM);
    put(header, RPMTAG_SOURCEPACKAGE, std::vector<std::uint32_t>{1});
    replace(header, RPMTAG_ARCH, "x86_64");
  });
  EXPECT_EQ(record.nevra.arch, "src");
  EXPECT_THAT(record.fragments[MetadataKind::primary], HasSubstr("<arch>src</arch>"));
}

TEST(PackageReader, KeepsTheNewestChangesOldestFirst) {  // semantics 19
  const auto record = record_of(
      [](Header header) {
        put_changelog(header, {"new", "middle", "old"}, {"3", "2", "1"});
      },
      {.changelog_limit = 2});
  const auto& other = record.fragments[MetadataKind::other];
  EXPECT_LT(other.find("author=\"middle\""), other.find("author=\"new\""));
  EXPECT_THAT(other, Not(HasSubstr("author=\"old\"")));
}

TEST(PackageReader, DropsControlCharactersFromFreeText) {  // semantics 20
  const auto record = record_of([](Header header) {
    replace(header, RPMTAG_SUMMARY,
            "A \x07"
            "bell");
    replace(header, RPMTAG_DESCRIPTION, "One\x1b[0m\n\ttwo \xef\xbf\xbe");
    put(header, RPMTAG_LICENSE, "M\x01IT");
    put(header, RPMTAG_URL, "https://example.org/\x02");
    put(header, RPMTAG_VENDOR, "V\x03");
    put(header, RPMTAG_GROUP, "G\x04");
    put(header, RPMTAG_PACKAGER, "P\x05");
    put(header, RPMTAG_BUILDHOST, "B\x06");
    put_changelog(header, {"A\x0e"}, {"- x\x0fy"});
  });
  const auto& primary = record.fragments[MetadataKind::primary];
  for (const char* expected :
       {"<summary>A bell</summary>", "<description>One[0m\n\ttwo </description>", "<rpm:license>MIT</rpm:license>",
        "<url>https://example.org/</url>", "<rpm:vendor>V</rpm:vendor>", "<rpm:group>G</rpm:group>",
        "<packager>P</packager>", "<rpm:buildhost>B</rpm:buildhost>"})
    EXPECT_THAT(primary, HasSubstr(expected));
  EXPECT_THAT(record.fragments[MetadataKind::other], HasSubstr("author=\"A\" date=\"1700000000\">- xy<"));
}

TEST(PackageReader, TakesTextThatIsNotUtf8ForLatin1) {  // semantics 20
  const auto record = record_of([](Header header) {
    replace(header, RPMTAG_SUMMARY,
            "Gr\xfc\xdf"
            "e");
    put_file(header, "/etc/",
             "gr\xf6\xdf"
             "e");
  });
  EXPECT_THAT(record.fragments[MetadataKind::primary], HasSubstr("<summary>Grüße</summary>"));
  EXPECT_THAT(record.fragments[MetadataKind::filelists], HasSubstr("<file>/etc/größe</file>"));
}

TEST(PackageReader, RefusesForbiddenCharactersWhereTheyMatterAndNamesTheTag) {  // semantics 20
  const auto replaced = [](rpmTagVal tag, const char* text) {
    return refusal_of([=](Header header) { replace(header, tag, text); });
  };
  EXPECT_EQ(replaced(RPMTAG_NAME, "ti\x01ny"), "NAME holds a character that XML forbids");
  EXPECT_EQ(replaced(RPMTAG_VERSION, "1\x02"), "VERSION holds a character that XML forbids");
  EXPECT_EQ(replaced(RPMTAG_RELEASE, "1\xef\xbf\xbf"), "RELEASE holds a character that XML forbids");
  EXPECT_EQ(replaced(RPMTAG_ARCH, "\x1f"), "ARCH holds a character that XML forbids");
  EXPECT_EQ(replaced(RPMTAG_SOURCERPM, "a\x03"), "SOURCERPM holds a character that XML forbids");
  EXPECT_EQ(refusal_of([](Header header) { put_file(header, "/etc/", "bell\x07"); }),
            "BASENAMES holds a character that XML forbids");
  EXPECT_EQ(refusal_of([](Header header) { put_file(header, "/bell\x07/", "file"); }),
            "DIRNAMES holds a character that XML forbids");
}

TEST(PackageReader, RefusesForbiddenCharactersInEveryKindOfDependency) {  // semantics 20
  struct Row {
    rpmTagVal name, flags, version;
    const char* tag;
  };
  const Row rows[] = {
      {RPMTAG_REQUIRENAME, RPMTAG_REQUIREFLAGS, RPMTAG_REQUIREVERSION, "REQUIRE"},
      {RPMTAG_PROVIDENAME, RPMTAG_PROVIDEFLAGS, RPMTAG_PROVIDEVERSION, "PROVIDE"},
      {RPMTAG_CONFLICTNAME, RPMTAG_CONFLICTFLAGS, RPMTAG_CONFLICTVERSION, "CONFLICT"},
      {RPMTAG_OBSOLETENAME, RPMTAG_OBSOLETEFLAGS, RPMTAG_OBSOLETEVERSION, "OBSOLETE"},
      {RPMTAG_SUGGESTNAME, RPMTAG_SUGGESTFLAGS, RPMTAG_SUGGESTVERSION, "SUGGEST"},
      {RPMTAG_ENHANCENAME, RPMTAG_ENHANCEFLAGS, RPMTAG_ENHANCEVERSION, "ENHANCE"},
      {RPMTAG_RECOMMENDNAME, RPMTAG_RECOMMENDFLAGS, RPMTAG_RECOMMENDVERSION, "RECOMMEND"},
      {RPMTAG_SUPPLEMENTNAME, RPMTAG_SUPPLEMENTFLAGS, RPMTAG_SUPPLEMENTVERSION, "SUPPLEMENT"},
  };
  for (const auto& row : rows) {
    const auto with = [&row](const char* name, const char* version) {
      return refusal_of([=](Header header) {
        put(header, row.name, std::vector{name});
        put(header, row.flags, std::vector<std::uint32_t>{8});  // "="
        put(header, row.version, std::vector{version});
      });
    };
    EXPECT_EQ(with("bad\x01", "1"), std::string(row.tag) + "NAME holds a character that XML forbids");
    EXPECT_EQ(with("good", "1\x01"), std::string(row.tag) + "VERSION holds a character that XML forbids");
  }
}

TEST(PackageReader, RefusesAPackageWithoutIdentity) {
  EXPECT_EQ(refusal_of([](Header header) { headerDel(header, RPMTAG_NAME); }), "NAME is missing");
  EXPECT_EQ(refusal_of([](Header header) { replace(header, RPMTAG_VERSION, ""); }), "VERSION is missing");
  EXPECT_EQ(refusal_of([](Header header) { replace(header, RPMTAG_RELEASE, "\xfc"); }), "RELEASE is not UTF-8");
}

TEST(PackageReader, RefusesAnHrefThatNoClientCouldAskFor) {
  const auto file = make_package();
  EXPECT_EQ(read(file, {},
                 "gr\xf6\xdf"
                 "e.rpm")
                .error()
                .message,
            "location_href is not UTF-8");
  EXPECT_EQ(read(file, {}, "bell\x07.rpm").error().message, "location_href holds a character that XML forbids");
}

TEST(PackageReader, SeesADamagedHeader) {
  auto file = make_package();
  const auto at = file.find("Described.");
  ASSERT_NE(at, std::string::npos);
  file[at] = 'd';
  const auto record = read(file);
  ASSERT_TRUE(record.failed_with(ErrorKind::corrupt));
  EXPECT_EQ(record.error().message, "the header's digest does not match its bytes");
}

TEST(PackageReader, SeesAHeaderThatIsNonsense) {
  auto file = make_package();
  const auto range = *probe_header(file, file.size())->range;
  for (auto at = range.start + 16; at < range.end; ++at) file[at] = '\x5a';
  const auto record = read(file);
  ASSERT_TRUE(record.failed_with(ErrorKind::corrupt));
  EXPECT_EQ(record.error().message, "the header does not parse");
}

TEST(PackageReader, ReadsTheOldestPackages) {
  const auto record = read(make_package({}, Region::none));
  ASSERT_TRUE(record) << record.error().text();
  EXPECT_EQ(to_string(record->nevra), "tiny-1.0~rc1-2.noarch");
}

TEST(PackageReader, RefusesTagsOfAWrongType) {
  struct Row {
    rpmTagVal tag;
    rpmTagType type;
    const char* name;
  };
  // The last row is text, but one string where librpm follows pointers to many.
  const Row rows[] = {{RPMTAG_REQUIRENAME, RPM_INT32_TYPE, "REQUIRENAME"},
                      {RPMTAG_CHANGELOGTEXT, RPM_INT32_TYPE, "CHANGELOGTEXT"},
                      {RPMTAG_DIRINDEXES, RPM_INT16_TYPE, "DIRINDEXES"},
                      {RPMTAG_BASENAMES, RPM_STRING_TYPE, "BASENAMES"}};
  for (const auto& row : rows) {
    const auto with_wrong_type = [&row](Header header) {
      rpmtd_s data{};
      std::uint64_t bytes = 0;
      data.tag = row.tag;
      data.type = row.type;
      data.count = 1;
      data.data = &bytes;
      headerPut(header, &data, HEADERPUT_DEFAULT);
    };
    for (const auto region : {Region::immutable, Region::none}) {
      const auto record = read(make_package(with_wrong_type, region));
      ASSERT_TRUE(record.failed_with(ErrorKind::corrupt)) << row.name;
      EXPECT_EQ(record.error().message, "the header's tag " + std::string(row.name) + " has a wrong type");
    }
  }
}

TEST(PackageReader, RefusesATypeThatThereIsNot) {
  std::string file = make_package({}, Region::none);
  const auto range = probe_header(file, file.size())->range;
  file[range->start + 16 + 6] = 0x20;  // of the first entry
  const auto record = read_package(file, *range, {{HashType::sha256, "a"}, "a.rpm", file.size(), 0}, {});
  ASSERT_TRUE(record.failed_with(ErrorKind::corrupt));
  EXPECT_THAT(record.error().message, HasSubstr("has a wrong type"));
}

// libcreaterepo_c would take the shortest, and lose memory with each such package.
TEST(PackageReader, RefusesListsThatDoNotBelongTogether) {
  const auto with_provides = [](std::size_t flags, std::size_t versions) {
    return make_package([=](Header header) {
      put(header, RPMTAG_PROVIDENAME, std::vector{"a", "b"});
      put(header, RPMTAG_PROVIDEFLAGS, std::vector<std::uint32_t>(flags, 8));
      put(header, RPMTAG_PROVIDEVERSION, std::vector<const char*>(versions, "1"));
    });
  };
  EXPECT_TRUE(read(with_provides(2, 2)));
  for (const auto& [flags, versions] : {std::pair{1U, 2U}, {2U, 1U}, {3U, 2U}, {2U, 3U}}) {
    const auto record = read(with_provides(flags, versions));
    ASSERT_TRUE(record.failed_with(ErrorKind::corrupt)) << flags << ' ' << versions;
    EXPECT_THAT(record.error().message, HasSubstr("entries, PROVIDENAME 2"));
  }
  const auto with_modes = make_package([](Header header) {
    put_file(header, "/d/", "f");
    headerDel(header, RPMTAG_FILEMODES);
    headerPutUint16(header, RPMTAG_FILEMODES, std::array<std::uint16_t, 2>{}.data(), 2);
  });
  EXPECT_TRUE(read(with_modes).failed_with(ErrorKind::corrupt));
  for (const auto tag : {RPMTAG_DIRINDEXES, RPMTAG_FILEMODES, RPMTAG_FILEFLAGS}) {
    const auto without = make_package([tag](Header header) {
      put_file(header, "/d/", "f");
      headerDel(header, tag);
    });
    EXPECT_TRUE(read(without).failed_with(ErrorKind::corrupt)) << tag;
  }
  const auto old = make_package([](Header header) { put(header, RPMTAG_OLDFILENAMES, std::vector{"/d/f"}); });
  EXPECT_TRUE(read(old).failed_with(ErrorKind::corrupt));
}

TEST(PackageReader, NoFlippedByteIsTakenForAPackageAndNothingIsPrinted) {
  const auto good = make_package([](Header header) { put_file(header, "/etc/", "file"); });
  const auto range = *probe_header(good, good.size())->range;
  testing::internal::CaptureStderr();
  for (auto at = range.start + 16; at < range.end; ++at) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x21);
    EXPECT_TRUE(read(bad).failed_with(ErrorKind::corrupt)) << at;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(PackageReader, RefusesFewerBytesThanTheHeaderHas) {
  const auto file = make_package();
  const auto range = *probe_header(file, file.size())->range;
  const auto record = read_package(std::string_view(file).substr(0, range.end - 1), range, {}, {});
  EXPECT_TRUE(record.failed_with(ErrorKind::corrupt));
}

TEST(PackageReader, LooksAtNothingBehindTheHeader) {
  const auto file = make_package();
  EXPECT_EQ(read(file + std::string(1000, 'p'))->fragments[MetadataKind::primary],
            read(file)->fragments[MetadataKind::primary]);
}

TEST(PackageReader, BadDependencyEpochIsDroppedSilently) {
  testing::internal::CaptureStderr();
  const auto record = record_of([](Header header) {
    put(header, RPMTAG_REQUIRENAME, std::vector{"odd", "fine"});
    put(header, RPMTAG_REQUIREFLAGS, std::vector<std::uint32_t>{8, 8});
    put(header, RPMTAG_REQUIREVERSION, std::vector{"x:1", "1:1"});
  });
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_THAT(record.fragments[MetadataKind::primary], Not(HasSubstr("\"odd\"")));
  EXPECT_THAT(record.fragments[MetadataKind::primary], HasSubstr("name=\"fine\" flags=\"EQ\" epoch=\"1\""));
}

TEST(PackageReader, ReadsFromSeveralThreadsAtOnce) {
  constexpr std::size_t k_packages = 8;
  std::vector<std::string> files, found(200);
  for (std::size_t i = 0; i < k_packages; ++i)
    files.push_back(
        make_package([i](Header header) { replace(header, RPMTAG_NAME, ("p" + std::to_string(i)).c_str()); }));
  for_each_parallel(found.size(), 8, [&](std::size_t i) {
    const auto record = read(files[i % k_packages]);
    if (record) found[i] = record->nevra.name;
  });
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], "p" + std::to_string(i % k_packages));
}

}  // namespace
}  // namespace repoupdate
