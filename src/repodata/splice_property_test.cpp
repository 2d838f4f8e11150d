// SPDX-License-Identifier: Apache-2.0
// Long chains of random edits, each checked in full. REPOUPDATE_PROPERTY_ROUNDS multiplies their number.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "repodata/sample_metadata.hpp"
#include "repodata/splice.hpp"
#include "repodata/splice_plan.hpp"
#include "repodata/verify.hpp"

namespace repoupdate {
namespace {

using ::testing::IsEmpty;
using Random = std::mt19937;

constexpr SystemTime k_now{std::chrono::seconds(1'800'000'000)};

int rounds() {
  const char* factor = std::getenv("REPOUPDATE_PROPERTY_ROUNDS");
  return factor ? std::max(1, std::atoi(factor)) : 1;
}

// Text that compresses about as file names do.
std::string words(Random& random, std::size_t count) {
  static constexpr const char* k_words[] = {"lib",   "share", "python3", "doc", "locale", "include", "perl5", "man",
                                            "icons", "gtk",   "kernel",  "src", "module", "test",    "data",  "plugin"};
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    text += random() % 4 ? k_words[random() % std::size(k_words)] : std::to_string(random() % 100'000);
    text += random() % 5 ? '/' : '-';
  }
  return text;
}

void put_behind(std::string& fragment, const std::string& anchor, const std::string& lines) {
  fragment.insert(fragment.find(anchor) + anchor.size(), lines);
}

// A package with about so many files and changelog lines in it; the content depends on `random`, not its place.
PackageRecord random_package(Random& random, const std::string& name, std::size_t files) {
  PackageRecord record = sample::package(name, "1", random() % 8 ? "" : "sub/");
  const std::string pkgid = sha256_hex(record.location_href + std::to_string(random()));
  for (const auto& about : k_metadata_kinds) {
    std::string& fragment = record.fragments[about.kind];
    fragment.replace(fragment.find(record.pkgid.hex), pkgid.size(), pkgid);
  }
  record.pkgid.hex = pkgid;
  std::string list, log;
  for (std::size_t i = 0; i < files; ++i) list += "  <file>/usr/" + words(random, 6) + "</file>\n";
  for (std::size_t i = 0; i < files / 8; ++i)
    log += "  <changelog author=\"" + words(random, 2) + "\" date=\"1\">" + words(random, 12) + "</changelog>\n";
  put_behind(record.fragments[MetadataKind::filelists], "rel=\"1\"/>\n", list);
  put_behind(record.fragments[MetadataKind::other], "rel=\"1\"/>\n", log);
  put_behind(record.fragments[MetadataKind::primary], "<format>\n", files % 3 ? "" : list);
  return record;
}

// The rule of splice_plan.hpp, followed package by package.
void apply_to(std::vector<PackageRecord>& model, const MetadataEdit& edit, bool append) {
  std::map<std::string, const PackageRecord*> replacing;
  std::set<std::string> erased;
  for (const auto& erase : edit.erases) erased.insert(erase.location_href);
  for (const auto& record : edit.inserts)
    if (erased.contains(record.location_href)) replacing[record.location_href] = &record;
  std::vector<const PackageRecord*> result;
  for (const auto& record : model) {
    const auto found = replacing.find(record.location_href);
    if (found != replacing.end())
      result.push_back(found->second);
    else if (!erased.contains(record.location_href))
      result.push_back(&record);
  }
  std::size_t from = 0;  // never before an earlier insert
  for (const auto& record : edit.inserts) {
    if (replacing.contains(record.location_href)) continue;
    while (!append && from < result.size() && !sample::before(record, *result[from])) ++from;
    if (append) from = result.size();
    result.insert(result.begin() + static_cast<std::ptrdiff_t>(from++), &record);
  }
  std::vector<PackageRecord> renewed;
  for (const auto* record : result) renewed.push_back(*record);
  model = std::move(renewed);
}

// One repository, its model, and the edits that they go through together.
class Chain {
public:
  Chain(unsigned seed, Compression compression, SegmentSizes sizes) : m_random(seed), m_reading{compression, 2, sizes} {
    m_index = empty_repository({}, compression);
    for (auto& file : m_index.files.values) file.sizes = sizes;
  }

  // Starts with packages that another tool has listed, with something of its own between them.
  void take_over(std::size_t packages, const std::vector<std::string>& gaps) {
    for (std::size_t i = 0; i < packages; ++i) m_model.push_back(fresh_package());
    std::sort(m_model.begin(), m_model.end(), sample::before);
    m_is_exact = gaps.empty();
    PerKind<std::string> open = sample::documents(m_model);
    for (const auto& about : k_metadata_kinds) {
      for (const auto& record : m_model) {
        if (gaps.empty()) break;
        const std::size_t at = open[about.kind].find(record.fragments[about.kind]);
        open[about.kind].replace(at + record.fragments[about.kind].size() - 1, 1, gaps[m_random() % gaps.size()]);
      }
    }
    auto index = sample::read(sample::stored(open, m_random() % 2 ? Compression::gz : Compression::zstd), m_reading);
    ASSERT_TRUE(index) << index.error().text();
    m_index = *std::move(index);
  }

  void step() {
    const MetadataEdit edit = random_edit();
    const std::size_t frames = m_index.files[MetadataKind::primary].table.frames.size();
    SpliceOptions options{.now = k_now, .open_checksum = m_random() % 8 != 0, .threads = m_random() % 3 + 1};
    if (m_random() % 3 == 0)
      options.keep_up_to = 1 << 20;  // large enough, in some chains, until the repository has grown
    auto spliced = splice(m_index, edit, options);
    ASSERT_TRUE(spliced) << spliced.error().text();
    apply_to(m_model, edit, new_places(edit) > k_max_scattered && frames > k_max_scattered + 2);
    check(*spliced);
    if (::testing::Test::HasFailure()) return;
    m_index = std::move(spliced->index);
    for (const auto& about : k_metadata_kinds) m_index.files[about.kind].stored = m_published.files[about.kind];
  }

  // The chain and a rebuild list the same, and the same bytes where the order is the same (I12).
  void compare_with_rebuild() {
    auto base = empty_repository({}, m_reading.compression);
    for (auto& file : base.files.values) file.sizes = m_reading.sizes;
    const auto rebuilt = splice(base, sample::inserting(m_model), {.now = k_now});
    ASSERT_TRUE(rebuilt) << rebuilt.error().text();
    check_bounds(rebuilt->index);
    auto fragments = [](const RepoIndex& index) {
      std::set<std::tuple<std::string, std::string, std::string>> set;
      for (const auto& entry : sample::entries_of(index))
        set.insert({entry.location_href, entry.pkgid, to_string(entry.nevra)});
      return set;
    };
    EXPECT_EQ(fragments(rebuilt->index), fragments(m_index));
    if (!m_is_exact || !std::is_sorted(m_model.begin(), m_model.end(), sample::before)) return;
    for (const auto& about : k_metadata_kinds)
      EXPECT_TRUE(sample::decode(m_index.files[about.kind].stored) ==
                  sample::decode(rebuilt->index.files[about.kind].stored));
  }

  const RepoIndex& index() const { return m_index; }

private:
  PackageRecord fresh_package() {
    const std::string name =
        std::string(1, static_cast<char>('a' + m_random() % 20)) + std::to_string(m_random() % 500);
    if (m_names.insert(name).second) {
      // A heavy tail: a few packages are larger than a frame.
      const std::size_t files = m_random() % 40 == 0 ? m_random() % 600 : m_random() % 12;
      return random_package(m_random, name, files);
    }
    return fresh_package();
  }

  static std::size_t new_places(const MetadataEdit& edit) {
    std::set<std::string> erased;
    for (const auto& erase : edit.erases) erased.insert(erase.location_href);
    return static_cast<std::size_t>(std::ranges::count_if(
        edit.inserts, [&](const auto& record) { return !erased.contains(record.location_href); }));
  }

  // Mostly little, now and then nearly all.
  MetadataEdit random_edit() {
    const unsigned kind = m_random() % 20;
    const std::size_t listed = m_model.size();
    const unsigned percent = kind == 0 ? 85 : kind == 1 ? 100 : kind < 4 ? 10 : listed > 120 ? 3 : 1;
    MetadataEdit edit;
    for (const auto& package : sample::list(m_index)) {
      if (m_random() % 100 >= percent) continue;
      const PackageRecord& old = m_model[package.position];
      edit.erases.push_back(sample::erase_of(package));
      if (kind > 3 && m_random() % 2) {
        PackageRecord renewed = random_package(m_random, old.nevra.name, m_random() % 12);
        if (renewed.location_href == old.location_href) edit.inserts.push_back(std::move(renewed));
      }
    }
    const std::size_t inserts = kind == 1 ? m_random() % 2 : kind == 2 || listed < 5 ? m_random() % 60 : m_random() % 4;
    if (m_names.size() < 8000)
      for (std::size_t i = 0; i < inserts; ++i) edit.inserts.push_back(fresh_package());
    std::sort(edit.inserts.begin(), edit.inserts.end(), sample::before);
    return edit;
  }

  void check(const Spliced& spliced) {
    m_published = sample::publish(spliced.publication);
    if (m_is_exact) {
      const auto open = sample::open_of(spliced.publication), expected = sample::documents(m_model);
      for (const auto& about : k_metadata_kinds) EXPECT_TRUE(open[about.kind] == expected[about.kind]) << about.name;
    }
    const auto report = verify_metadata(m_published.repomd, m_published.files);  // I7, I8
    EXPECT_THAT(report.problems, IsEmpty());
    ASSERT_EQ(report.entries.size(), m_model.size());
    for (std::size_t i = 0; i < m_model.size(); ++i) {
      ASSERT_EQ(report.entries[i].location_href, m_model[i].location_href);
      ASSERT_EQ(report.entries[i].pkgid, m_model[i].pkgid.hex);
    }
    check_fresh_read(spliced.index, report.entries);
    check_bounds(spliced.index);
  }

  // What splice() says of the repository is what a reader finds in it, by its tables.
  void check_fresh_read(const RepoIndex& index, const std::vector<IndexEntry>& entries) {
    MemoryScratch scratch;
    const auto fresh = read_index(m_published.repomd, m_published.files, m_reading, scratch);
    ASSERT_TRUE(fresh) << fresh.error().text();
    EXPECT_EQ(scratch.created(), 0) << "a table was not believed";
    EXPECT_EQ(*fresh->nevras, *index.nevras);
    EXPECT_EQ(sample::entries_of(index), entries);
    for (const auto& about : k_metadata_kinds) {
      EXPECT_EQ(fresh->files[about.kind].table, index.files[about.kind].table);
      EXPECT_EQ(fresh->files[about.kind].first_frame, index.files[about.kind].first_frame);
    }
  }

  void check_bounds(const RepoIndex& index) {
    const SegmentSizes& sizes = *m_reading.sizes;
    for (const SegmentedFile& file : index.files.values) {
      const auto& frames = file.table.frames;
      std::size_t small = 0;
      for (std::size_t i = 1; i + 1 < frames.size(); ++i) {
        EXPECT_TRUE(frames[i].packages == 1 || frames[i].open_size <= 2 * sizes.frame) << frames[i].open_size;
        const bool is_alone = frames[i - 1].packages == 1 || frames[i + 1].packages <= 1;  // beside a large one
        small += frames[i].packages > 1 && !is_alone && frames[i].open_size < sizes.frame / 4;
        for (const Segment& segment : frames[i].segments)
          EXPECT_TRUE(segment.packages == 1 || segment.open_size / 2 <= sizes.segment) << segment.open_size;
      }
      EXPECT_LE(small, 3U) << info(file.kind).name << " of " << frames.size();
    }
  }

  Random m_random;
  IndexReading m_reading;
  RepoIndex m_index;
  sample::StoredRepository m_published;
  std::vector<PackageRecord> m_model;
  std::set<std::string> m_names;
  bool m_is_exact = true;  // the layout is createrepo_c's: every byte is known
};

// With frames of a package, a few packages and many; segments within and beyond the reach of deflate.
std::vector<std::pair<Compression, SegmentSizes>> all_sizes() {
  return {{Compression::gz, {1, 1}},           {Compression::gz, {4'000, 1'000}},    {Compression::gz, {30'000, 2'000}},
          {Compression::gz, {150'000, 5'000}}, {Compression::gz, {200'000, 40'000}}, {Compression::zstd, {1}},
          {Compression::zstd, {4'000}},        {Compression::zstd, {40'000}}};
}

TEST(SpliceProperty, EveryEditOfAChainIsRight) {
  unsigned seed = 1;
  for (int repeat = 0; repeat < rounds(); ++repeat) {
    for (const auto& [compression, sizes] : all_sizes()) {
      SCOPED_TRACE(file_suffix(compression));
      Chain chain(seed++, compression, sizes);
      for (int round = 0; round < 70; ++round) {
        chain.step();
        ASSERT_FALSE(HasFailure()) << "seed " << seed - 1 << ", edit " << round << ", frames of " << sizes.frame;
      }
      chain.compare_with_rebuild();
      ASSERT_FALSE(HasFailure()) << "seed " << seed - 1;
    }
  }
}

TEST(SpliceProperty, RepositoriesOfOthersStayReadable) {
  unsigned seed = 1000;
  const std::vector<std::vector<std::string>> layouts{
      {}, {"\r\n"}, {""}, {"", "\n", "  <!-- <package> -->  ", "\n\n\t", "<?pi </package>?>\r\n", " "}};
  for (int repeat = 0; repeat < rounds(); ++repeat) {
    for (const auto& [compression, sizes] : all_sizes()) {
      for (const auto& gaps : layouts) {
        Chain chain(seed++, compression, sizes);
        chain.take_over(80, gaps);
        for (int round = 0; round < 8; ++round) {
          if (!HasFailure()) chain.step();
          ASSERT_FALSE(HasFailure()) << "seed " << seed - 1 << ", edit " << round << ", frames of " << sizes.frame;
        }
        chain.compare_with_rebuild();
      }
    }
  }
}

// One package more, less or anew, again and again, at the sizes that are used: what the cuts cost in the end. At 25
// rounds these are a thousand edits.
TEST(SpliceProperty, StoredSizeStaysNearThatOfCompressingAtOnce) {
  for (const auto& [compression, most] : {std::pair(Compression::gz, 1.02), std::pair(Compression::zstd, 1.08)}) {
    Random random(77);
    std::vector<PackageRecord> first;
    for (int i = 0; i < 400; ++i)
      first.push_back(random_package(random, "p" + std::to_string(10'000 + 7 * i), random() % 400));
    auto spliced = splice(empty_repository({}, compression), sample::inserting(first), {.now = k_now});
    for (int round = 0; round < 40 * rounds(); ++round) {
      ASSERT_TRUE(spliced) << spliced.error().text();
      RepoIndex index = std::move(spliced->index);
      for (auto& file : index.files.values) file.stored = in_memory(sample::bytes_of(file.stored));
      MetadataEdit edit;
      if (round % 3 != 0) edit = sample::erasing(index, {random() % index.packages()});
      if (round % 3 != 1)
        edit.inserts.push_back(random_package(random, "p" + std::to_string(random() % 100'000), random() % 400));
      spliced = splice(index, edit, {.now = k_now, .open_checksum = false});
    }
    ASSERT_TRUE(spliced) << spliced.error().text();
    for (const auto& about : k_metadata_kinds) {
      const SegmentedFile& file = spliced->index.files[about.kind];
      const std::size_t at_once = sample::whole_file(compression, sample::decode(file.stored)).size();
      EXPECT_LE(static_cast<double>(file.stored->size()), most * static_cast<double>(at_once)) << about.name;
    }
  }
}

}  // namespace
}  // namespace repoupdate
