// SPDX-License-Identifier: Apache-2.0
#include "repodata/splice.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "repodata/splice_plan.hpp"
#include "repodata/verify.hpp"
#include "testkit/memory_scratch.hpp"

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

RepoIndex opened(const sample::StoredRepository& repository) {
  auto index = sample::read(repository);
  EXPECT_TRUE(index) << index.error().text();
  return index ? *std::move(index) : empty_repository();
}

RepoIndex repository_of(const std::vector<PackageRecord>& packages, Compression compression = Compression::gz) {
  return opened(sample::stored(sample::documents(packages), compression));
}

Result<Publication> apply(const RepoIndex& index, const MetadataEdit& edit) {
  auto spliced = splice(index, edit, options());
  if (!spliced) return std::move(spliced).error();
  return std::move(spliced->publication);
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
  expect_documents(apply(repository, sample::erasing(repository, {1})), sample::documents({k_a, k_c}));
  expect_documents(apply(repository, sample::erasing(repository, {0, 1, 2})), sample::documents({}));
}

TEST(Splice, InsertedPackageStandsWhereCreaterepoPutsIt) {  // I12
  expect_documents(apply(repository_of({k_b}), sample::inserting({k_a, k_c})), sample::documents({k_a, k_b, k_c}));
  const auto deep_b = sample::package("b", "1", "a-directory/");
  const auto repository = repository_of({k_a, k_c});  // sorted by file name first, directory second
  expect_documents(apply(repository, sample::inserting({k_b, deep_b})), sample::documents({k_a, deep_b, k_b, k_c}));
}

TEST(Splice, ReplacedPackageKeepsItsPlace) {
  const auto repository = repository_of({k_a, k_b, k_c});
  PackageRecord renewed = k_b;
  renewed.fragments[MetadataKind::other] = "<package pkgid=\"" + k_b.pkgid.hex + "\"/>\n";
  MetadataEdit edit = sample::inserting({renewed});
  edit.erases = sample::erasing(repository, {1}).erases;
  expect_documents(apply(repository, edit), sample::documents({k_a, renewed, k_c}));
}

TEST(Splice, NothingToDoGivesTheSameDocuments) {
  const auto first = apply(repository_of({k_a, k_b}), {});
  ASSERT_TRUE(first) << first.error().text();
  const auto publication = apply(opened(sample::publish(*first)), {});
  expect_documents(publication, sample::documents({k_a, k_b}));
  EXPECT_EQ(publication->packages, 2U);
  EXPECT_THAT(publication->superseded, IsEmpty());  // the same names, so the same files
}

TEST(Splice, FramesAreKeptWhileTheRepositoryIsSmall) {
  const auto kept = [](const RepoIndex& index, const MetadataEdit& edit, std::uint64_t keep_up_to) {
    SpliceOptions keeping = options();
    keeping.keep_up_to = keep_up_to;
    return splice(index, edit, keeping)->index.files[MetadataKind::other].kept.size();
  };
  const MetadataEdit edit = sample::inserting({k_a, k_b});
  const auto large = repository_of({k_c, k_d});
  EXPECT_GT(kept(large, edit, 1 << 20), 0U);
  EXPECT_EQ(kept(large, edit, 3'000), 0U);
  EXPECT_EQ(kept(empty_repository(), edit, 1'000), 0U) << "what is put in counts, too";
}

TEST(Splice, SameArgumentsGiveTheSameBytes) {  // I5
  const auto repository = repository_of({k_a, k_c});
  const auto first = apply(repository, sample::inserting({k_b})), second = apply(repository, sample::inserting({k_b}));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->pointer.bytes, second->pointer.bytes);
  for (const auto& about : k_metadata_kinds)
    EXPECT_EQ(sample::bytes_of(sample::file_of(*first, about.kind).body),
              sample::bytes_of(sample::file_of(*second, about.kind).body));
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
  const auto repository = opened(sample::stored(odd_documents()));
  MetadataEdit edit = sample::inserting({k_c});
  edit.erases = sample::erasing(repository, {1}).erases;
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
  const auto publication = apply(opened(sample::stored(open)), sample::inserting({k_a}));
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
  const auto repository = opened(sample::stored(open));
  expect_documents(apply(repository, sample::inserting({k_d})), sample::documents({k_a, k_b, k_c, k_d}));
  expect_documents(apply(repository, sample::erasing(repository, {0})), sample::documents({k_b, k_c}));
}

TEST(Splice, SamePackageUnderTwoKeysIsTwoEntries) {
  PackageRecord copy = sample::package("b", "1", "copies/");
  copy.pkgid = k_b.pkgid;
  for (const auto& about : k_metadata_kinds) copy.fragments[about.kind] = k_b.fragments[about.kind];
  std::string& primary = copy.fragments[MetadataKind::primary];
  primary.replace(primary.find("href=\"") + 6, 0, "copies/");
  PerKind<std::string> open = sample::documents({k_a, k_b, copy});
  open[MetadataKind::other] = sample::documents({k_b, copy, k_a})[MetadataKind::other];
  const auto repository = opened(sample::stored(open));
  expect_documents(apply(repository, sample::erasing(repository, {2})), sample::documents({k_a, k_b}));
}

TEST(Splice, DifferentPackagesInTheFilesAreCorrupt) {  // semantics 28: never publish a truncated repository
  const auto expect_corrupt = [](MetadataKind kind, const std::vector<PackageRecord>& packages,
                                 const std::string& what) {
    PerKind<std::string> open = sample::documents({k_a, k_b, k_c});
    open[kind] = sample::documents(packages)[kind];
    const auto index = sample::read(sample::stored(open));
    ASSERT_TRUE(index.failed_with(ErrorKind::corrupt));
    EXPECT_THAT(index.error().message, HasSubstr(what));
    EXPECT_THAT(index.error().message, HasSubstr("--rebuild"));
    EXPECT_THAT(index.error().message, HasSubstr("repodata/"));
  };
  expect_corrupt(MetadataKind::filelists, {k_a, k_c}, k_b.pkgid.hex);
  expect_corrupt(MetadataKind::other, {k_a, k_b, k_c, k_d}, k_d.pkgid.hex);
  expect_corrupt(MetadataKind::other, {k_a, k_b, k_d}, k_c.pkgid.hex);
  expect_corrupt(MetadataKind::filelists, {}, k_a.pkgid.hex);
}

TEST(Splice, DamagedFilesAreNotBuiltUpon) {  // semantics 28
  const auto good = sample::stored(sample::documents({k_a, k_b}));
  for (const auto& about : k_metadata_kinds) {
    std::string damaged = sample::bytes_of(good.files[about.kind]), truncated = damaged;
    damaged.back() ^= 1;
    truncated.pop_back();
    for (const std::string& bytes : {damaged, truncated}) {
      auto repository = good;
      repository.files[about.kind] = in_memory(bytes);
      const auto index = sample::read(repository);
      ASSERT_TRUE(index.failed_with(ErrorKind::corrupt));
      EXPECT_THAT(index.error().message, HasSubstr(good.repomd.find(about.kind)->location_href));
      EXPECT_THAT(index.error().message, HasSubstr("repoupdate update --rebuild"));
    }
  }
}

// What was proven has changed since: a frame that is touched, and with an open checksum any frame.
TEST(Splice, BytesThatChangedUnderTheIndexAreCorrupt) {
  auto index = repository_of({k_a, k_b});
  std::string bytes = sample::bytes_of(index.files[MetadataKind::other].stored);
  bytes[bytes.size() / 2] ^= 1;
  index.files[MetadataKind::other].stored = in_memory(bytes);
  for (const auto& edit : {MetadataEdit{}, sample::inserting({k_c})}) {
    const auto publication = apply(index, edit);
    ASSERT_TRUE(publication.failed_with(ErrorKind::corrupt));
    EXPECT_THAT(publication.error().message, HasSubstr("-other.xml"));
  }
}

TEST(Splice, EditThatDoesNotFitIsInvalid) {
  const auto repository = repository_of({k_a, k_b, k_c});
  MetadataEdit edit = sample::erasing(repository, {1});
  edit.erases[0].pkgid = k_a.pkgid.hex;
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
  edit = sample::erasing(repository, {1});
  edit.erases[0].position = 3;
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(apply(repository, sample::erasing(repository, {1, 0})).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(apply(repository, sample::erasing(repository, {1, 1})).failed_with(ErrorKind::invalid));
  edit = {};
  edit.inserts = {sample::package("z"), sample::package("y")};
  EXPECT_TRUE(apply(repository, edit).failed_with(ErrorKind::invalid));
}

TEST(Splice, PublicationNamesWhatItHolds) {
  const auto repository = repository_of({k_a});
  const auto publication = apply(repository, sample::inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_EQ(publication->packages, 2U);
  EXPECT_FALSE(publication->base);
  EXPECT_EQ(publication->pointer.key, "repodata/repomd.xml");
  EXPECT_EQ(publication->pointer.sha256, sha256_hex(publication->pointer.bytes));
  ASSERT_EQ(publication->immutable.size(), 3U);
  const auto repomd = parse_repomd(publication->pointer.bytes);
  ASSERT_TRUE(repomd) << repomd.error().text();
  for (const auto& about : k_metadata_kinds) {
    const PublishedFile& object = sample::file_of(*publication, about.kind);
    EXPECT_EQ(object.sha256, sha256_hex(sample::bytes_of(object.body)));
    EXPECT_EQ(object.content_type, "application/gzip");
    EXPECT_EQ(object.key, "repodata/" + object.sha256 + '-' + std::string(about.name) + ".xml.gz");
    EXPECT_EQ(object.key, repomd->find(about.kind)->location_href);
  }
  std::vector<std::string> old;
  for (const auto& record : repository.repomd.records) old.push_back(record.location_href);
  EXPECT_EQ(publication->superseded, old);
  const auto renewed = sample::publish(*publication);
  EXPECT_THAT(verify_metadata(renewed.repomd, renewed.files).problems, IsEmpty());
}

TEST(Splice, CompressionFollowsTheRepositoryOrTheOption) {  // semantics 27
  const auto gz = repository_of({k_a}), zst = repository_of({k_a}, Compression::zstd);
  EXPECT_TRUE(sample::file_of(*apply(gz, {}), MetadataKind::other).key.ends_with(".xml.gz"));
  EXPECT_TRUE(sample::file_of(*apply(zst, {}), MetadataKind::other).key.ends_with(".xml.zst"));
  EXPECT_EQ(sample::file_of(*apply(zst, {}), MetadataKind::other).content_type, "application/zstd");
  IndexReading other;
  other.compression = Compression::zstd;
  const auto index = sample::read(sample::stored(sample::documents({k_a})), other);
  ASSERT_TRUE(index) << index.error().text();
  const auto changed = apply(*index, sample::inserting({k_b}));
  expect_documents(changed, sample::documents({k_a, k_b}));
  EXPECT_TRUE(sample::file_of(*changed, MetadataKind::other).key.ends_with(".xml.zst"));
}

TEST(Splice, ChecksumTypeFollowsTheRepository) {  // semantics 27
  const auto repository = opened(sample::stored(sample::documents({k_a}), Compression::gz, HashType::sha512));
  const auto publication = apply(repository, sample::inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  const PublishedFile& object = sample::file_of(*publication, MetadataKind::primary);
  const std::string bytes = sample::bytes_of(object.body);
  EXPECT_EQ(object.key, "repodata/" + hash_hex(HashType::sha512, bytes) + "-primary.xml.gz");
  EXPECT_EQ(object.sha256, sha256_hex(bytes));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<checksum type=\"sha512\">"));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<open-checksum type=\"sha512\">"));
}

TEST(Splice, UnknownRecordsPassThroughAndDerivedOnesGo) {  // I9
  auto repository = repository_of({k_a});
  auto& repomd = repository.repomd;
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

  const auto publication = apply(repository, sample::inserting({k_b}));
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
  repository.repomd.records[0].location_href = "Packages/a-1-1.noarch.rpm";
  const std::string other = repository.repomd.records[2].location_href;
  repository.repomd.records[1].location_href = "repodata/repomd.xml";
  const auto publication = apply(repository, sample::inserting({k_b}));
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_THAT(publication->superseded, ElementsAre(other));
}

TEST(Splice, FirstPublicationNeedsNothingThatExists) {
  const auto empty = empty_repository();
  expect_documents(apply(empty, {}), sample::documents({}));
  const auto publication = apply(empty, sample::inserting({k_b, k_a}));
  expect_documents(publication, sample::documents({k_a, k_b}));
  EXPECT_THAT(publication->superseded, IsEmpty());
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<revision>1800000000</revision>"));
  const auto renewed = sample::publish(*publication);
  EXPECT_THAT(verify_metadata(renewed.repomd, renewed.files).problems, IsEmpty());
}

TEST(Splice, RebuildKeepsWhatIsNotMadeFromThePackages) {
  auto old = repository_of({k_a, k_b}, Compression::zstd);
  old.repomd.revision = "41";
  RepomdRecord group;
  group.type = "group";
  group.location_href = "comps.xml";
  group.raw = "<data type=\"group\"><location href=\"comps.xml\"/></data>";
  old.repomd.records.push_back(group);
  const auto publication = apply(empty_repository(old.repomd), sample::inserting({k_c}));
  expect_documents(publication, sample::documents({k_c}));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr("<revision>42</revision>"));
  EXPECT_THAT(publication->pointer.bytes, HasSubstr(group.raw));
  EXPECT_TRUE(sample::file_of(*publication, MetadataKind::primary).key.ends_with(".zst"));
  EXPECT_THAT(publication->superseded,
              ElementsAre(old.repomd.records[0].location_href, old.repomd.records[1].location_href,
                          old.repomd.records[2].location_href));
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
    const auto index = sample::read(sample::stored(open));
    if (!index) continue;
    const auto publication = apply(*index, sample::inserting({k_d}));
    if (!publication) continue;
    EXPECT_EQ(publication->packages, index->packages() + 1);

    const auto renewed = sample::publish(*publication);
    const auto report = verify_metadata(renewed.repomd, renewed.files);
    const bool is_well_formed = std::none_of(report.problems.begin(), report.problems.end(), [](const auto& problem) {
      return problem.what.find("cannot be read") != std::string::npos;
    });
    if (!is_well_formed) continue;
    ++both;
    EXPECT_EQ(report.entries, sample::entries_of(opened(renewed))) << open[MetadataKind::primary];
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
    const auto listed = static_cast<std::ptrdiff_t>(random() % pool.size());
    const std::vector<PackageRecord> old(pool.begin(), pool.begin() + listed);
    const auto repository = repository_of(old);
    MetadataEdit edit = sample::inserting({pool.begin() + listed, pool.end()});
    std::vector<std::string> kept;
    for (const auto& package : sample::list(repository)) {
      if (random() % 3 == 0)
        edit.erases.push_back(sample::erase_of(package));
      else
        kept.push_back(package.entry.location_href);
    }
    const auto publication = apply(repository, edit);
    ASSERT_TRUE(publication) << publication.error().text();
    const auto renewed = sample::publish(*publication);
    EXPECT_THAT(verify_metadata(renewed.repomd, renewed.files).problems, IsEmpty());
    std::vector<std::string> found_kept, found_new, expected_new;
    for (const auto& record : edit.inserts) expected_new.push_back(record.location_href);
    for (const auto& entry : sample::entries_of(opened(renewed))) {
      const bool is_kept = std::find(kept.begin(), kept.end(), entry.location_href) != kept.end();
      (is_kept ? found_kept : found_new).push_back(entry.location_href);
    }
    EXPECT_EQ(found_kept, kept);
    EXPECT_EQ(found_new, expected_new);
  }
}

// What other tools write, and what becomes of it.
void expect_readable(const Result<Publication>& publication, const std::vector<std::string>& hrefs) {
  ASSERT_TRUE(publication) << publication.error().text();
  EXPECT_EQ(publication->packages, hrefs.size());
  const auto renewed = sample::publish(*publication);
  const auto report = verify_metadata(renewed.repomd, renewed.files);
  EXPECT_THAT(report.problems, IsEmpty());
  std::vector<std::string> found;
  for (const auto& entry : report.entries) found.push_back(entry.location_href);
  EXPECT_EQ(found, hrefs);
}

TEST(Splice, ACountThatLiesIsPutRight) {  // I7
  PerKind<std::string> open = sample::documents({k_a, k_b});
  for (auto& document : open.values) document.replace(document.find("packages=\"2\""), 12, "packages=\"777\"");
  const auto repository = opened(sample::stored(open));
  expect_documents(apply(repository, {}), sample::documents({k_a, k_b}));
  expect_documents(apply(repository, sample::inserting({k_c})), sample::documents({k_a, k_b, k_c}));
}

TEST(Splice, LinesThatEndAsInDosStay) {  // I6
  PerKind<std::string> open = sample::documents({k_a, k_b});
  const auto dos = [](std::string text) {
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, 1, '\r');
    return text;
  };
  PerKind<std::string> expected = sample::documents({k_b, k_c});
  for (const auto& about : k_metadata_kinds) {
    open[about.kind] = dos(open[about.kind]);
    const std::string& c = k_c.fragments[about.kind];
    std::string& document = expected[about.kind];
    const std::size_t at = document.find(c);
    document = dos(document.substr(0, at)) + c + dos(document.substr(at + c.size()));
  }
  const auto repository = opened(sample::stored(open));
  MetadataEdit edit = sample::inserting({k_c});
  edit.erases = sample::erasing(repository, {0}).erases;
  expect_documents(apply(repository, edit), expected);
}

TEST(Splice, EverythingOnOneLine) {
  PerKind<std::string> open = sample::documents({k_a, k_b, k_d});
  for (auto& document : open.values) std::erase(document, '\n');
  const auto repository = opened(sample::stored(open));
  MetadataEdit edit = sample::inserting({k_c});
  edit.erases = sample::erasing(repository, {0}).erases;
  expect_readable(apply(repository, edit), {k_b.location_href, k_c.location_href, k_d.location_href});
  edit = sample::inserting({sample::package("Z")});
  edit.erases = sample::erasing(repository, {0, 1, 2}).erases;
  expect_readable(apply(repository, edit), {sample::package("Z").location_href});
}

TEST(Splice, WhatStoodBetweenPackagesGoesWithTheLastOfThem) {
  PerKind<std::string> open = sample::documents({k_a, k_b});
  for (const auto& about : k_metadata_kinds) open[about.kind].insert(open[about.kind].rfind("<package "), "<!-- b -->");
  const auto repository = opened(sample::stored(open));
  const auto kept = apply(repository, sample::erasing(repository, {1}));
  ASSERT_TRUE(kept) << kept.error().text();
  EXPECT_THAT(sample::open_of(*kept)[MetadataKind::other], HasSubstr("<!-- b -->"));
  const auto none = apply(repository, sample::erasing(repository, {0, 1}));
  expect_documents(none, sample::documents({}));
  expect_documents(apply(opened(sample::publish(*none)), sample::inserting({k_c})), sample::documents({k_c}));
}

// A repository of so many frames, a package in each, whose names are numbers.
RepoIndex many_frames(std::size_t frames, Compression compression) {
  std::vector<PackageRecord> packages;
  for (std::size_t i = 0; i < frames; ++i) packages.push_back(sample::package(std::to_string(1000 + 10 * i)));
  IndexReading reading;
  reading.compression = compression;
  reading.sizes = SegmentSizes{1};
  auto index = sample::read(sample::stored(sample::documents(packages)), reading);
  EXPECT_TRUE(index) << index.error().text();
  EXPECT_EQ(index->files[MetadataKind::primary].table.frames.size(), frames + 2);
  return *std::move(index);
}

// Each of the inserts would belong into a frame of its own.
TEST(Splice, ManyScatteredPackagesGoBehindTheLast) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto index = many_frames(20, compression);
    for (const std::size_t count : {k_max_scattered, k_max_scattered + 1}) {
      std::vector<PackageRecord> fresh;
      for (std::size_t i = 0; i < count; ++i) fresh.push_back(sample::package(std::to_string(1005 + 10 * i)));
      MetadataEdit edit = sample::inserting(fresh);
      std::vector<std::string> hrefs;
      for (const auto& entry : sample::entries_of(index)) hrefs.push_back(entry.location_href);
      for (const auto& record : fresh) hrefs.push_back(record.location_href);
      if (count <= k_max_scattered) std::sort(hrefs.begin(), hrefs.end());
      expect_readable(apply(index, edit), hrefs);
      // A package that replaces another keeps its place all the same.
      edit.erases = sample::erasing(index, {5}).erases;
      edit.inserts.push_back(sample::package(std::to_string(1050)));
      std::sort(edit.inserts.begin(), edit.inserts.end(), sample::before);
      expect_readable(apply(index, edit), hrefs);
    }
  }
}

TEST(Splice, APackageOfThirtyMegabytesComesAndGoes) {
  PackageRecord large = sample::package("b");
  std::string list;
  while (list.size() < (30U << 20)) list += "  <file>/usr/share/large/" + std::to_string(list.size()) + "</file>\n";
  std::string& fragment = large.fragments[MetadataKind::filelists];
  fragment.insert(fragment.find("  <file>"), list);
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    const auto spliced = splice(repository_of({k_a, k_c}, compression), sample::inserting({large}), options());
    ASSERT_TRUE(spliced) << spliced.error().text();
    EXPECT_TRUE(sample::open_of(spliced->publication)[MetadataKind::filelists] ==
                sample::documents({k_a, large, k_c})[MetadataKind::filelists]);
    expect_documents(apply(spliced->index, sample::erasing(spliced->index, {1})), sample::documents({k_a, k_c}));
  }
}

// Many at once are put in by a few frames at a time, from wherever their fragments are.
TEST(Splice, ManyPackagesAtOnceStandWhereFewWould) {
  std::vector<PackageRecord> many;
  for (int i = 0; i < 6000; ++i) many.push_back(sample::package("m" + std::to_string(100'000 + i)));
  const auto scratch = *MemoryScratch().create();
  std::vector<PackageRecord> aside = many;
  for (std::size_t i = 0; i < aside.size(); i += 2) ASSERT_TRUE(aside[i].fragments.put_aside(scratch));
  const auto with = [&](std::vector<PackageRecord> first, std::vector<PackageRecord> last) {
    first.insert(first.end(), many.begin(), many.end());
    first.insert(first.end(), last.begin(), last.end());
    return sample::documents(first);
  };
  const auto z = sample::package("z");
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    expect_documents(apply(empty_repository({}, compression), sample::inserting(aside)), with({}, {}));
    expect_documents(apply(repository_of({k_a, k_b}, compression), sample::inserting(aside)), with({k_a, k_b}, {}));
    expect_documents(apply(repository_of({k_a, z}, compression), sample::inserting(aside)), with({k_a}, {z}));
    const auto repository = repository_of({k_a, k_b}, compression);
    MetadataEdit edit = sample::inserting(aside);
    edit.erases = sample::erasing(repository, {1}).erases;
    expect_documents(apply(repository, edit), with({k_a}, {}));
  }
}

TEST(Splice, VeryLargePackagesAreNotPutAmongOthersTogether) {
  const auto large = [](const std::string& name) {
    PackageRecord record = sample::package(name);
    std::string& fragment = record.fragments[MetadataKind::filelists];
    fragment.insert(fragment.find("  <file>"), std::string(40U << 20, ' '));
    return record;
  };
  const auto b = large("b"), c = large("c");
  const auto repository = repository_of({k_a, k_d});
  expect_documents(apply(repository, sample::inserting({b})), sample::documents({k_a, b, k_d}));
  expect_documents(apply(repository, sample::inserting({b, c})), sample::documents({k_a, k_d, b, c}));
}

TEST(Splice, AFragmentThatCannotBeReadAgainIsAnError) {
  class Broken final : public ScratchFile {
  public:
    Result<void> append(std::string_view) override { return {}; }
    std::uint64_t size() const override { return 0; }
    Result<void> read(std::uint64_t, std::span<char>) const override { return Error{ErrorKind::io, "broken", {}}; }
  };
  PackageRecord aside = k_b;
  ASSERT_TRUE(aside.fragments.put_aside(std::make_shared<Broken>()));
  const auto spliced = splice(repository_of({k_a}), sample::inserting({aside}), options());
  ASSERT_FALSE(spliced);
  EXPECT_EQ(spliced.error().kind, ErrorKind::io);
}

TEST(Splice, AnOmittedOpenChecksumIsNotStated) {
  for (const Compression compression : {Compression::gz, Compression::zstd}) {
    SpliceOptions omitting = options();
    omitting.open_checksum = false;
    const auto spliced = splice(repository_of({k_a}, compression), sample::inserting({k_b}), omitting);
    ASSERT_TRUE(spliced) << spliced.error().text();
    EXPECT_THAT(spliced->publication.pointer.bytes, ::testing::Not(HasSubstr("open-checksum")));
    EXPECT_THAT(spliced->publication.pointer.bytes, HasSubstr("<open-size>"));
    expect_readable(spliced->publication, {k_a.location_href, k_b.location_href});
  }
}

}  // namespace
}  // namespace repoupdate
