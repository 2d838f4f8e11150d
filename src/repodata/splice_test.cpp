// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "repodata/verify.hpp"

namespace repoupdate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr SystemTime k_now{std::chrono::seconds(1'800'000'000)};

SpliceOptions options() {
  SpliceOptions options;
  options.now = k_now;
  return options;
}

StoredRepository with_index(StoredRepository repository) {
  auto index = read_index(repository.index.repomd, repository.stored[MetadataKind::primary]);
  EXPECT_TRUE(index) << index.error().text();
  repository.index = *std::move(index);
  return repository;
}

StoredRepository repository_of(const std::vector<PackageRecord>& packages, Compression compression = Compression::gz) {
  return with_index(sample::stored(sample::documents(packages), compression));
}

Result<Publication> apply(const StoredRepository& repository, const MetadataEdit& edit) {
  return splice(repository.index, repository.stored, edit, options());
}

MetadataEdit inserting(std::vector<PackageRecord> records) {
  MetadataEdit edit;
  edit.inserts = std::move(records);
  std::sort(edit.inserts.begin(), edit.inserts.end(), sample::before);
  return edit;
}

MetadataEdit erasing(const StoredRepository& repository, const std::vector<std::size_t>& positions) {
  MetadataEdit edit;
  for (const std::size_t position : positions) edit.erases.push_back(sample::erase_of(repository.index, position));
  return edit;
}

void expect_documents(const Result<Publication>& publication, const PerKind<std::string>& expected) {
  ASSERT_TRUE(publication) << publication.error().text();
  const auto open = sample::open_of(*publication);
  for (const auto& about : k_metadata_kinds) EXPECT_EQ(open[about.kind], expected[about.kind]);
}

const PackageRecord k_a = sample::package("a"), k_b = sample::package("b"), k_c = sample::package("c"),
                    k_d = sample::package("d");

TEST(Splice, ErasedPackageLeavesAllThreeFiles) {
  const auto repository = repository_of({k_a, k_b, k_c});
  expect_documents(apply(repository, erasing(repository, {1})), sample::documents({k_a, k_c}));
  expect_documents(apply(repository, erasing(repository, {0, 1, 2})), sample::documents({}));
}

TEST(Splice, InsertedPackageStandsWhereCreaterepoPutsIt) {  // I12
  expect_documents(apply(repository_of({k_b}), inserting({k_a, k_c})), sample::documents({k_a, k_b, k_c}));
  const auto deep_b = sample::package("b", "1", "a-directory/");
  const auto repository = repository_of({k_a, k_c});  // sorted by file name first, directory second
  expect_documents(apply(repository, inserting({k_b, deep_b})), sample::documents({k_a, deep_b, k_b, k_c}));
}

TEST(Splice, ReplacedPackageKeepsItsPlace) {
  const auto repository = repository_of({k_a, k_b, k_c});
  PackageRecord renewed = k_b;
  renewed.fragments[MetadataKind::other] = "<package pkgid=\"" + k_b.pkgid.hex + "\"/>\n";
  MetadataEdit edit = inserting({renewed});
  edit.erases = erasing(repository, {1}).erases;
  expect_documents(apply(repository, edit), sample::documents({k_a, renewed, k_c}));
}

TEST(Splice, NothingToDoGivesTheSameDocuments) {
  const auto repository = repository_of({k_a, k_b});
  const auto publication = apply(repository, {});
  expect_documents(publication, sample::documents({k_a, k_b}));
  EXPECT_EQ(publication->packages, 2U);
  EXPECT_THAT(publication->superseded, IsEmpty());  // the same names, so the same files
}

TEST(Splice, SameArgumentsGiveTheSameBytes) {  // I5
  const auto repository = repository_of({k_a, k_c});
  const auto first = apply(repository, inserting({k_b})), second = apply(repository, inserting({k_b}));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->pointer.bytes, second->pointer.bytes);
  for (const auto& about : k_metadata_kinds)
    EXPECT_EQ(sample::object_of(*first, about.kind).bytes, sample::object_of(*second, about.kind).bytes);
}

// A foreign layout: indentation, comments, everything on one line, attributes of its own.
PerKind<std::string> odd_documents() {
  PerKind<std::string> open;
  for (const auto& about : k_metadata_kinds) {
    const auto bare = [&](const PackageRecord& record) {
      const std::string& fragment = record.fragments[about.kind];
      return fragment.substr(0, fragment.size() - 1);
    };
    open[about.kind] = "<?xml version='1.0'?><!-- made by hand --><" + std::string(about.root) +
                       " packages='007' xmlns='" + std::string(about.xml_namespace) + "'" +
                       std::string(about.root_attributes) + " >  " + bare(k_a) + "  <!-- b -->  " + bare(k_b) +
                       " \t\r\n\n  " + bare(k_d) + "</" + std::string(about.root) + " >\n<!-- end -->\n";
  }
  return open;
}

TEST(Splice, UntouchedBytesOfAForeignLayoutStay) {  // I6
  const auto repository = with_index(sample::stored(odd_documents()));
  MetadataEdit edit = inserting({k_c});
  edit.erases = erasing(repository, {1}).erases;
  const auto publication = apply(repository, edit);
  ASSERT_TRUE(publication) << publication.error().text();
  PerKind<std::string> expected = odd_documents();
  for (const auto& about : k_metadata_kinds) {
    std::string& open = expected[about.kind];
    const std::string& b = k_b.fragments[about.kind];
    const std::size_t at = open.find(b.substr(0, b.size() - 1));
    open.erase(at, b.size() - 1 + 4);  // and the rest of its line: " \t\r\n"
    const std::string& d = k_d.fragments[about.kind];
    open.insert(open.find(d.substr(0, d.size() - 1)), '\n' + k_c.fragments[about.kind]);
    open.replace(open.find("'007'"), 5, "'3'");
  }
  expect_documents(publication, expected);
}

TEST(Splice, EmptyRootElementIsOpened) {
  PerKind<std::string> open;
  for (const auto& about : k_metadata_kinds)
    open[about.kind] = "<" + std::string(about.root) + " xmlns=\"" + std::string(about.xml_namespace) + '"' +
                       std::string(about.root_attributes) + "/>\n";
  const auto publication = apply(with_index(sample::stored(open)), inserting({k_a}));
  ASSERT_TRUE(publication) << publication.error().text();
  const auto found = sample::open_of(*publication);
  EXPECT_EQ(found[MetadataKind::filelists],
            "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\" packages=\"1\">\n" +
                k_a.fragments[MetadataKind::filelists] + "</filelists>\n");
}

TEST(Splice, OtherOrderIsPutIntoThatOfPrimary) {  // I7
  PerKind<std::string> open = sample::documents({k_a, k_b, k_c});
  open[MetadataKind::filelists] = sample::documents({k_c, k_a, k_b})[MetadataKind::filelists];
  open[MetadataKind::other] = sample::documents({k_b, k_a, k_c})[MetadataKind::other];
  const auto repository = with_index(sample::stored(open));
  expect_documents(apply(repository, inserting({k_d})), sample::documents({k_a, k_b, k_c, k_d}));
  expect_documents(apply(repository, erasing(repository, {0})), sample::documents({k_b, k_c}));
}

TEST(Splice, SamePackageUnderTwoKeysIsTwoEntries) {
  PackageRecord copy = sample::package("b", "1", "copies/");
  copy.pkgid = k_b.pkgid;
  for (const auto& about : k_metadata_kinds) copy.fragments[about.kind] = k_b.fragments[about.kind];
  std::string& primary = copy.fragments[MetadataKind::primary];
  primary.replace(primary.find("href=\"") + 6, 0, "copies/");
  PerKind<std::string> open = sample::documents({k_a, k_b, copy});
  open[MetadataKind::other] = sample::documents({k_b, copy, k_a})[MetadataKind::other];
  const auto repository = with_index(sample::stored(open));
  expect_documents(apply(repository, erasing(repository, {2})), sample::documents({k_a, k_b}));
}

TEST(Splice, DifferentPackagesInTheFilesAreCorrupt) {  // semantics 28: never publish a truncated repository
  const auto expect_corrupt = [](MetadataKind kind, const std::vector<PackageRecord>& packages,
                                 const std::string& what) {
    PerKind<std::string> open = sample::documents({k_a, k_b, k_c});
    open[kind] = sample::documents(packages)[kind];
    const auto publication = apply(with_index(sample::stored(open)), {});
    ASSERT_TRUE(publication.failed_with(ErrorKind::corrupt));
    EXPECT_THAT(publication.error().message, HasSubstr(what));
    EXPECT_THAT(publication.error().message, HasSubstr("--rebuild"));
    EXPECT_THAT(publication.error().message, HasSubstr("repodata/"));
  };
  expect_corrupt(MetadataKind::filelists, {k_a, k_c}, k_b.pkgid.hex);
  expect_corrupt(MetadataKind::other, {k_a, k_b, k_c, k_d}, k_d.pkgid.hex);
  expect_corrupt(MetadataKind::other, {k_a, k_b, k_d}, k_c.pkgid.hex);
  expect_corrupt(MetadataKind::filelists, {}, k_a.pkgid.hex);
}

TEST(Splice, DamagedFilesAreNotBuiltUpon) {  // semantics 28
  const auto good = repository_of({k_a, k_b});
  for (const auto& about : k_metadata_kinds) {
    auto damaged = good;
    damaged.stored[about.kind].back() ^= 1;
    auto truncated = good;
    truncated.stored[about.kind].pop_back();
    for (const auto& repository : {damaged, truncated}) {
      const auto publication = apply(repository, {});
      ASSERT_TRUE(publication.failed_with(ErrorKind::corrupt));
      EXPECT_THAT(publication.error().message, HasSubstr(good.index.repomd.find(about.kind)->location_href));
      EXPECT_THAT(publication.error().message, HasSubstr("repoupdate update --rebuild"));
    }
  }
  auto damaged = good.stored[MetadataKind::primary];
  damaged.back() ^= 1;
  EXPECT_TRUE(read_index(good.index.repomd, damaged).failed_with(ErrorKind::corrupt));
}

TEST(Splice, EditThatDoesNotFitIsInvalid) {
  const auto repository = repository_of({k_a, k_b, k_c});
  EXPECT_TRUE(apply(repository, inserting({k_b})).failed_with(ErrorKind::invalid));  // would be listed twice
  MetadataEdit edit = erasing(repository, {1});
  edit.erases[0].pkgid = k_a.pkgid.hex;
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
  edit = erasing(repository, {1});
  edit.erases[0].position = 3;
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(apply(repository, erasing(repository, {1, 0})).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(apply(repository, erasing(repository, {1, 1})).failed_with(ErrorKind::invalid));
  edit = {};
  edit.inserts = {sample::package("z"), sample::package("y")};
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
}

TEST(Splice, PublicationNamesWhatItHolds) {
  const auto repository = repository_of({k_a});
  const auto publication = apply(repository, inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_EQ(publication->packages, 2U);
  EXPECT_FALSE(publication->base);
  EXPECT_EQ(publication->pointer.key, "repodata/repomd.xml");
  EXPECT_EQ(publication->pointer.sha256, sha256_hex(publication->pointer.bytes));
  ASSERT_EQ(publication->immutable.size(), 3U);
  const auto repomd = parse_repomd(publication->pointer.bytes);
  ASSERT_TRUE(repomd) << repomd.error().text();
  for (const auto& about : k_metadata_kinds) {
    const PublishedObject& object = sample::object_of(*publication, about.kind);
    EXPECT_EQ(object.sha256, sha256_hex(object.bytes));
    EXPECT_EQ(object.content_type, "application/gzip");
    EXPECT_EQ(object.key, "repodata/" + object.sha256 + '-' + std::string(about.name) + ".xml.gz");
    EXPECT_EQ(object.key, repomd->find(about.kind)->location_href);
  }
  std::vector<std::string> old;
  for (const auto& record : repository.index.repomd.records) old.push_back(record.location_href);
  EXPECT_EQ(publication->superseded, old);
  const auto renewed = sample::read_back(*publication);
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_THAT(verify_metadata(renewed->index.repomd, renewed->stored).problems, IsEmpty());
}

TEST(Splice, CompressionFollowsTheRepositoryOrTheOption) {  // semantics 27
  const auto gz = repository_of({k_a}), zst = repository_of({k_a}, Compression::zstd);
  EXPECT_TRUE(sample::object_of(*apply(gz, {}), MetadataKind::other).key.ends_with(".xml.gz"));
  EXPECT_TRUE(sample::object_of(*apply(zst, {}), MetadataKind::other).key.ends_with(".xml.zst"));
  EXPECT_EQ(sample::object_of(*apply(zst, {}), MetadataKind::other).content_type, "application/zstd");
  SpliceOptions other = options();
  other.compression = Compression::zstd;
  const auto changed = splice(gz.index, gz.stored, inserting({k_b}), other);
  ASSERT_TRUE(changed);
  EXPECT_TRUE(sample::object_of(*changed, MetadataKind::other).key.ends_with(".xml.zst"));
  expect_documents(changed, sample::documents({k_a, k_b}));
}

TEST(Splice, ChecksumTypeFollowsTheRepository) {  // semantics 27
  auto repository = repository_of({k_a});
  for (auto& record : repository.index.repomd.records)
    record.checksum =
        Checksum{HashType::sha512,
                 hash_hex(HashType::sha512, repository.stored[record.type == "primary" ? MetadataKind::primary
                                                              : record.type == "other" ? MetadataKind::other
                                                                                       : MetadataKind::filelists])};
  const auto publication = apply(repository, inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  const PublishedObject& object = sample::object_of(*publication, MetadataKind::primary);
  EXPECT_EQ(object.key, "repodata/" + hash_hex(HashType::sha512, object.bytes) + "-primary.xml.gz");
  EXPECT_EQ(object.sha256, sha256_hex(object.bytes));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<checksum type=\"sha512\">"));
}

TEST(Splice, UnknownRecordsPassThroughAndDerivedOnesGo) {  // I9
  auto repository = repository_of({k_a});
  auto& repomd = repository.index.repomd;
  const auto add = [&](const std::string& type, const std::string& base = "") {
    RepomdRecord record;
    record.type = type;
    record.location_href = "repodata/x-" + type;
    record.location_base = base;
    record.timestamp = 1'900'000'000;
    record.raw = "<data type=\"" + type + "\"  odd='1'><location href='repodata/x-" + type + "'/></data>";
    return record;
  };
  repomd.raw_tags = "<tags><repo>x</repo></tags>";
  repomd.records.insert(repomd.records.begin() + 1, {add("group"), add("primary_db")});
  repomd.records.insert(repomd.records.end(), {add("modules"), add("other_zck"), add("filelists_db", "http://h/")});

  const auto publication = apply(repository, inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_THAT(publication->dropped_records, UnorderedElementsAre("primary_db", "other_zck", "filelists_db"));
  EXPECT_THAT(publication->superseded, ::testing::SizeIs(5));  // not what lies at another base
  const auto renewed = parse_repomd(publication->pointer.bytes);
  ASSERT_TRUE(renewed) << renewed.error().text();
  std::vector<std::string> types;
  for (const auto& record : renewed->records) types.push_back(record.type);
  EXPECT_THAT(types, ElementsAre("primary", "group", "filelists", "other", "modules"));
  EXPECT_EQ(renewed->find("group")->raw, add("group").raw);
  EXPECT_EQ(renewed->raw_tags, repomd.raw_tags);
  // I13: the newest old timestamp lies in the future of the clock, and does not sink.
  EXPECT_EQ(renewed->find("primary")->timestamp, 1'900'000'000);
  EXPECT_EQ(renewed->revision, "1800000000");
}

TEST(Splice, OnlyMetadataAreSuperseded) {
  auto repository = repository_of({k_a});
  repository.index.repomd.records[0].location_href = "Packages/a-1-1.noarch.rpm";
  const std::string other = repository.index.repomd.records[2].location_href;
  repository.index.repomd.records[1].location_href = "repodata/repomd.xml";
  const auto publication = apply(repository, inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_THAT(publication->superseded, ElementsAre(other));
}

TEST(Splice, FirstPublicationNeedsNothingThatExists) {
  const auto empty = empty_repository();
  expect_documents(apply(empty, {}), sample::documents({}));
  const auto publication = apply(empty, inserting({k_b, k_a}));
  expect_documents(publication, sample::documents({k_a, k_b}));
  EXPECT_THAT(publication->superseded, IsEmpty());
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<revision>1800000000</revision>"));
  const auto renewed = sample::read_back(*publication);
  ASSERT_TRUE(renewed) << renewed.error().text();
  EXPECT_THAT(verify_metadata(renewed->index.repomd, renewed->stored).problems, IsEmpty());
}

TEST(Splice, RebuildKeepsWhatIsNotMadeFromThePackages) {
  auto old = repository_of({k_a, k_b}, Compression::zstd);
  old.index.repomd.revision = "41";
  RepomdRecord group;
  group.type = "group";
  group.location_href = "comps.xml";
  group.raw = "<data type=\"group\"><location href=\"comps.xml\"/></data>";
  old.index.repomd.records.push_back(group);
  const auto publication = apply(empty_repository(old.index.repomd), inserting({k_c}));
  expect_documents(publication, sample::documents({k_c}));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<revision>42</revision>"));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr(group.raw));
  EXPECT_TRUE(sample::object_of(*publication, MetadataKind::primary).key.ends_with(".zst"));
  EXPECT_THAT(publication->superseded,
              ElementsAre(old.index.repomd.records[0].location_href, old.index.repomd.records[1].location_href,
                          old.index.repomd.records[2].location_href));
}

// Two hundred random edits, one on top of the other, against the same list of packages written anew (I12).
TEST(Splice, AChainOfEditsEqualsARebuild) {
  std::mt19937 random(20'260'422);
  std::vector<PackageRecord> pool;
  for (const char* dir : {"", "sub/", "Packages/x/"})
    for (const char* name : {"a", "b+", "c&d", "e\xc3\xa9", "f~1", "g h", "libstdc++"})
      for (const char* version : {"1", "2"}) pool.push_back(sample::package(name, version, dir));
  std::sort(pool.begin(), pool.end(), sample::before);

  std::vector<bool> listed(pool.size(), false);
  StoredRepository repository = empty_repository();
  for (int round = 0; round < 200; ++round) {
    MetadataEdit edit;
    std::vector<PackageRecord> expected;
    std::size_t position = 0;
    const auto odds = random() % 12 + 1;
    for (std::size_t i = 0; i < pool.size(); ++i) {
      const bool touched = random() % odds == 0;
      const bool was = listed[i],
                 is = touched ? !was || random() % 3 == 0 : was;  // may be replaced by itself
      if (touched && was) edit.erases.push_back(sample::erase_of(repository.index, position));
      if (touched && is) edit.inserts.push_back(pool[i]);
      position += was;
      listed[i] = is;
      if (is) expected.push_back(pool[i]);
    }
    const auto publication = apply(repository, edit);
    expect_documents(publication, sample::documents(expected));
    ASSERT_FALSE(::testing::Test::HasFailure()) << "round " << round;
    auto renewed = sample::read_back(*publication);
    ASSERT_TRUE(renewed) << renewed.error().text();
    repository = *std::move(renewed);
  }
}

// Damaged XML whose checksums are right, as a broken writer leaves it: refused, or read as the full parser reads it.
TEST(Splice, DamagedXmlIsRefusedOrReadAsTheFullParserReadsIt) {
  std::mt19937 random(3);
  const std::string snippets[] = {"<",          ">",         "\"",        "'",  "/",  "&",         "<!--",
                                  "-->",        "<![CDATA[", "]]>",       "<?", "?>", "<package>", "</package>",
                                  "<package/>", "<name>",    "</format>", " ",  "="};
  const PerKind<std::string> good = sample::documents({k_a, k_b, k_c});
  int both = 0;
  for (int round = 0; round < 1000; ++round) {
    PerKind<std::string> open = good;
    std::string& damaged = open[k_metadata_kinds[random() % k_metadata_kinds.size()].kind];
    for (auto count = random() % 3 + 1; count > 0; --count)
      damaged.replace(random() % damaged.size(), random() % 12,
                      random() % 4 == 0 ? "" : snippets[random() % std::size(snippets)]);
    StoredRepository repository;
    repository.stored = open;
    auto index = read_index({}, open[MetadataKind::primary]);
    if (!index) continue;
    repository.index = *std::move(index);
    const auto publication = apply(repository, inserting({k_d}));
    if (!publication) continue;
    EXPECT_EQ(publication->packages, repository.index.entries.size() + 1);

    const auto renewed = sample::read_back(*publication);
    ASSERT_TRUE(renewed) << renewed.error().text();
    const auto report = verify_metadata(renewed->index.repomd, renewed->stored);
    const bool is_well_formed = std::none_of(report.problems.begin(), report.problems.end(), [](const auto& problem) {
      return problem.what.find("cannot be read") != std::string::npos;
    });
    if (!is_well_formed) continue;
    ++both;
    EXPECT_EQ(report.entries, renewed->index.entries) << open[MetadataKind::primary];
    EXPECT_THAT(report.problems, IsEmpty());
  }
  EXPECT_GT(both, 30);
}

// Any order, any layout: what remains are the kept fragments in their order and the inserts in theirs.
TEST(Splice, UnsortedRepositoriesKeepTheirOrder) {
  std::mt19937 random(11);
  std::vector<PackageRecord> pool;
  for (char name = 'a'; name <= 'p'; ++name) pool.push_back(sample::package(std::string(1, name)));
  for (int round = 0; round < 50; ++round) {
    std::shuffle(pool.begin(), pool.end(), random);
    const std::size_t listed = random() % pool.size();
    const std::vector<PackageRecord> old(pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(listed));
    const auto repository = repository_of(old);
    MetadataEdit edit = inserting({pool.begin() + static_cast<std::ptrdiff_t>(listed), pool.end()});
    std::vector<std::string> kept;
    for (std::size_t i = 0; i < listed; ++i) {
      if (random() % 3 == 0)
        edit.erases.push_back(sample::erase_of(repository.index, i));
      else
        kept.push_back(old[i].location_href);
    }
    const auto publication = apply(repository, edit);
    ASSERT_TRUE(publication) << publication.error().text();
    const auto renewed = sample::read_back(*publication);
    ASSERT_TRUE(renewed) << renewed.error().text();
    EXPECT_THAT(verify_metadata(renewed->index.repomd, renewed->stored).problems, IsEmpty());
    std::vector<std::string> found_kept, found_new, expected_new;
    for (const auto& record : edit.inserts) expected_new.push_back(record.location_href);
    for (const auto& entry : renewed->index.entries) {
      const bool is_kept = std::find(kept.begin(), kept.end(), entry.location_href) != kept.end();
      (is_kept ? found_kept : found_new).push_back(entry.location_href);
    }
    EXPECT_EQ(found_kept, kept);
    EXPECT_EQ(found_new, expected_new);
  }
}

}  // namespace
}  // namespace repoupdate
