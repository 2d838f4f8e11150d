// SPDX-License-Identifier: Apache-2.0
#include "io/directory_store.hpp"

#include <gmock/gmock.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/hash.hpp"
#include "testkit/faulty_bytes.hpp"
#include "testkit/scratch_directory.hpp"

namespace repoupdate {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t k_plenty = 1 << 20;

PutOptions if_absent() {
  PutOptions options;
  options.if_absent = true;
  return options;
}

PutOptions if_match(const ETag& etag) {
  PutOptions options;
  options.if_match = etag;
  return options;
}

PutOptions with_sha256(std::string hex) {
  PutOptions options;
  options.sha256 = std::move(hex);
  return options;
}

class DirectoryStoreTest : public testing::Test {
protected:
  std::string content(std::string_view key) {
    const auto object = store.get(key, {}, k_plenty);
    return object ? object->bytes : "(" + object.error().message + ")";
  }
  std::vector<std::string> keys(std::string_view prefix = "") {
    std::vector<std::string> found;
    const auto page = store.list(prefix, "");
    if (!page) return {"(" + page.error().message + ")"};
    for (const auto& object : page->objects) found.push_back(object.key);
    return found;
  }
  // Everything that lies in the directory, hidden files too.
  std::vector<std::string> files() {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(directory.path()))
      if (!entry.is_directory()) found.push_back(entry.path().lexically_relative(directory.path()).string());
    std::sort(found.begin(), found.end());
    return found;
  }

  ScratchDirectory directory;
  DirectoryStore store{directory.path()};
};

TEST_F(DirectoryStoreTest, WhatIsPutIsReadBackUnderOddNames) {
  for (const char* key :
       {"gtk+-c++_lib-1.0~rc1^git.rpm", "pool/sub dir/\xC3\xBC%20 &.rpm", "a/b/c/d.rpm", "..a/b..", "new\nline"}) {
    const auto put = store.put(key, key, {});
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(put->sha256, sha256_hex(key));
    const auto head = store.head(key);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->etag, put->etag);
    EXPECT_EQ(head->size, std::string_view(key).size());
    EXPECT_EQ(head->sha256, std::nullopt) << "nobody vouches for what lies in a directory";
    EXPECT_EQ(content(key), key);
  }
}

TEST_F(DirectoryStoreTest, AKeyCannotLeaveTheDirectoryOrBeOneOfOurNames) {
  using namespace std::string_view_literals;
  for (const auto key : {""sv, "/etc/passwd"sv, "../x"sv, "a/../../x"sv, "a//b"sv, "a/"sv, "."sv, "a/./b"sv, "a\0b"sv,
                         ".repoupdate.lock"sv, "a/.repoupdate-1"sv}) {
    EXPECT_TRUE(store.head(key).failed_with(ErrorKind::invalid)) << key;
    EXPECT_TRUE(store.get(key, {}, 1).failed_with(ErrorKind::invalid)) << key;
    EXPECT_TRUE(store.open(key).failed_with(ErrorKind::invalid)) << key;
    EXPECT_TRUE(store.put(key, "x", {}).failed_with(ErrorKind::invalid)) << key;
    EXPECT_TRUE(store.remove(key, {}).failed_with(ErrorKind::invalid)) << key;
  }
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(DirectoryStoreTest, RangesAreCutAtTheEndAndLimitsHold) {
  directory.write("a", "0123456789");
  const auto range = [&](std::uint64_t first, std::uint64_t length) {
    return store.get("a", {ByteRange{first, length}, std::nullopt}, 4);
  };
  EXPECT_EQ(range(2, 3)->bytes, "234");
  EXPECT_EQ(range(8, 100)->bytes, "89");
  EXPECT_EQ(range(8, 100)->info.size, 10U);
  EXPECT_EQ(range(10, 1)->bytes, "");
  EXPECT_EQ(range(11, 1)->info.size, 10U);
  EXPECT_TRUE(range(0, 5).failed_with(ErrorKind::invalid)) << "more than the limit";
  EXPECT_TRUE(store.get("a", {}, 9).failed_with(ErrorKind::invalid));
}

TEST_F(DirectoryStoreTest, ALargeFileIsReadInPieces) {
  std::string bytes;
  for (int i = 0; bytes.size() < 2'500'000; ++i) bytes += std::to_string(i);
  directory.write("large", bytes);
  std::string delivered;
  int pieces = 0;
  const auto info = store.read("large", {}, [&](std::string_view piece) {
    delivered += piece;
    ++pieces;
    return Result<void>{};
  });
  ASSERT_TRUE(info);
  EXPECT_EQ(delivered, bytes);
  EXPECT_GE(pieces, 3);
  const auto stopped = store.read("large", {}, [](std::string_view) { return Error{ErrorKind::corrupt, "mine", {}}; });
  EXPECT_TRUE(stopped.failed_with(ErrorKind::corrupt));
}

TEST_F(DirectoryStoreTest, AFileThatIsWrittenToWhileItIsReadIsNotTakenForWhole) {
  directory.write("a", "first");
  const auto grows = [&](std::string_view) {
    directory.write("a", "second and longer");
    return Result<void>{};
  };
  EXPECT_TRUE(store.read("a", {}, grows).failed_with(ErrorKind::unavailable));
  directory.write("a", "first");
  const GetOptions pinned{std::nullopt, store.head("a")->etag};
  EXPECT_TRUE(store.read("a", pinned, grows).failed_with(ErrorKind::precondition_failed));
  EXPECT_TRUE(store.get("a", pinned, k_plenty).failed_with(ErrorKind::precondition_failed));
}

TEST_F(DirectoryStoreTest, ReplacingAFileDoesNotDisturbWhoReadsIt) {
  ASSERT_TRUE(store.put("a", "old", {}));
  std::string delivered;
  const auto read = store.read("a", {}, [&](std::string_view piece) {
    delivered += piece;
    return store.put("a", "new and longer", {}) ? Result<void>{} : Result<void>{Error{}};
  });
  ASSERT_TRUE(read);
  EXPECT_EQ(delivered, "old");
  EXPECT_EQ(content("a"), "new and longer");
}

// I3: the pointer moves only under the ETag it was planned on.
TEST_F(DirectoryStoreTest, ConditionsOfAPutHold) {
  EXPECT_TRUE(store.put("a", "1", if_match(ETag{"\"x\""})).failed_with(ErrorKind::precondition_failed));
  const auto first = store.put("a", "1", if_absent());
  ASSERT_TRUE(first);
  EXPECT_TRUE(store.put("a", "2", if_absent()).failed_with(ErrorKind::precondition_failed));
  const auto second = store.put("a", "2", if_match(first->etag));
  ASSERT_TRUE(second);
  EXPECT_TRUE(store.put("a", "3", if_match(first->etag)).failed_with(ErrorKind::precondition_failed));
  EXPECT_EQ(content("a"), "2");
  EXPECT_THAT(files(), ElementsAre(".repoupdate.lock", "a")) << "what lost leaves nothing behind";
}

TEST_F(DirectoryStoreTest, OfManyThreadsThatCreateOneWins) {
  for (int round = 0; round < 20; ++round) {
    std::atomic<int> winners = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        const auto put = store.put("key" + std::to_string(round), std::to_string(i), if_absent());
        if (put) ++winners;
        EXPECT_TRUE(put || put.error().kind == ErrorKind::precondition_failed);
      });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(winners, 1);
  }
}

// Adds 1 to a counter `steps` times, each time under the ETag of what was read.
int count_up(const std::string& root, int steps) {
  DirectoryStore store{root};
  while (steps > 0) {
    const auto object = store.get("counter", {}, 100);
    if (!object) return 1;
    const auto put = store.put("counter", std::to_string(std::stoi(object->bytes) + 1), if_match(object->info.etag));
    if (put) --steps;
    if (!put && put.error().kind != ErrorKind::precondition_failed) return 2;
  }
  return 0;
}

TEST_F(DirectoryStoreTest, ProcessesThatSwapAgainstEachOtherLoseNoUpdate) {
  ASSERT_TRUE(store.put("counter", "0", {}));
  constexpr int k_processes = 4;
  constexpr int k_steps = 25;
  std::vector<pid_t> children;
  for (int i = 0; i < k_processes; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(count_up(directory.path(), k_steps));
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(content("counter"), std::to_string(k_processes * k_steps));
}

TEST_F(DirectoryStoreTest, AFileIsCopiedWithItsDigestVerified) {
  const ScratchDirectory elsewhere;
  const std::string bytes(1'500'000, 'x');
  const auto file = elsewhere.write("a.rpm", bytes);
  std::vector<std::uint64_t> progress;
  const auto note = [&](std::uint64_t done) { progress.push_back(done); };
  const auto put = store.put_file("pool/a.rpm", file, with_sha256(sha256_hex(bytes)), note);
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->sha256, sha256_hex(bytes));
  EXPECT_EQ(store.get("pool/a.rpm", {}, bytes.size())->bytes, bytes);
  EXPECT_EQ(progress.back(), bytes.size());
  const auto wrong = store.put_file("pool/b.rpm", file, with_sha256(sha256_hex("other")), {});
  EXPECT_TRUE(wrong.failed_with(ErrorKind::corrupt));
  EXPECT_TRUE(store.put_file("b", elsewhere.path("none"), with_sha256("0"), {}).failed_with(ErrorKind::not_found));
  EXPECT_THAT(files(), ElementsAre(".repoupdate.lock", "pool/a.rpm"));
}

TEST_F(DirectoryStoreTest, AnOpenObjectOutlivesItsReplacementAndRemoval) {
  ASSERT_TRUE(store.put("a", "old bytes", {}));
  const auto opened = store.open("a");
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_TRUE((*opened)->is_local());
  ASSERT_TRUE(store.put("a", "new", {}));
  EXPECT_EQ(*read_piece(**opened, 4, 5), "bytes");
  ASSERT_TRUE(store.remove("a", {}));
  EXPECT_EQ(*read_all(**opened, k_plenty), "old bytes");
}

TEST_F(DirectoryStoreTest, AnOpenObjectThatIsWrittenToIsNoticed) {
  directory.write("a", "first");
  const auto opened = store.open("a");
  ASSERT_TRUE(opened);
  directory.write("a", "second");
  EXPECT_TRUE(read_piece(**opened, 0, 1).failed_with(ErrorKind::precondition_failed));
}

TEST_F(DirectoryStoreTest, ABodyIsWrittenPieceByPiece) {
  std::string bytes;
  for (int i = 0; bytes.size() < 9'000'000; ++i) bytes += std::to_string(i);
  const FaultyBytes body(bytes);
  const auto put = store.put("d/a", body, with_sha256(sha256_hex(bytes)));
  ASSERT_TRUE(put) << put.error().message;
  EXPECT_EQ(put->sha256, sha256_hex(bytes));
  EXPECT_EQ(put->etag, store.head("d/a")->etag);
  EXPECT_TRUE(store.get("d/a", {}, bytes.size())->bytes == bytes);
  EXPECT_LE(body.largest_read(), k_local_piece);
  EXPECT_TRUE(store.put("empty", MemoryBytes(""), with_sha256(sha256_hex(""))));
  EXPECT_EQ(content("empty"), "");
}

TEST_F(DirectoryStoreTest, ABodyThatIsNotWhatWasSaidLeavesNothingBehind) {
  FaultyBytes body(std::string(3'000'000, 'x'));
  EXPECT_TRUE(store.put("a", body, {}).failed_with(ErrorKind::invalid)) << "nobody said what it is";
  EXPECT_TRUE(store.put("a", body, with_sha256(sha256_hex("other"))).failed_with(ErrorKind::corrupt));
  body.broken_from = 2'000'000;
  PutOptions options = with_sha256(sha256_hex(std::string(3'000'000, 'x')));
  options.if_absent = true;
  EXPECT_TRUE(store.put("a", body, options).failed_with(ErrorKind::unavailable))
      << "it is not the condition that failed";
  EXPECT_THAT(files(), IsEmpty());
}

// I3, also where the bytes come by pieces.
TEST_F(DirectoryStoreTest, ConditionsOfAPutHoldForABody) {
  PutOptions options = with_sha256(sha256_hex("1"));
  options.if_absent = true;
  const auto first = store.put("a", MemoryBytes("1"), options);
  ASSERT_TRUE(first);
  EXPECT_TRUE(store.put("a", MemoryBytes("1"), options).failed_with(ErrorKind::precondition_failed));
  PutOptions replace = with_sha256(sha256_hex("2"));
  replace.if_match = first->etag;
  EXPECT_TRUE(store.put("a", MemoryBytes("2"), replace));
  EXPECT_TRUE(store.put("a", MemoryBytes("2"), replace).failed_with(ErrorKind::precondition_failed));
  EXPECT_THAT(files(), ElementsAre(".repoupdate.lock", "a"));
}

TEST_F(DirectoryStoreTest, AFileThatIsTheObjectAlreadyIsLeftAlone) {
  const auto file = directory.write("pool/a.rpm", "package");
  fs::create_hard_link(file, directory.path("b.rpm"));
  fs::create_symlink(file, directory.path("c.rpm"));
  const auto before = store.head("pool/a.rpm");
  PutOptions options = with_sha256(sha256_hex("package"));
  options.if_absent = true;
  for (const char* key : {"pool/a.rpm", "b.rpm", "c.rpm"}) EXPECT_TRUE(store.put_file(key, file, options, {})) << key;
  EXPECT_EQ(store.head("pool/a.rpm")->etag, before->etag);
}

TEST_F(DirectoryStoreTest, PutReplacesALinkAndSparesItsTarget) {
  const ScratchDirectory elsewhere;
  fs::create_symlink(elsewhere.write("a.rpm", "pool"), directory.path("a.rpm"));
  EXPECT_EQ(content("a.rpm"), "pool");
  ASSERT_TRUE(store.put("a.rpm", "own", {}));
  EXPECT_EQ(content("a.rpm"), "own");
  EXPECT_EQ(fs::file_size(elsewhere.path("a.rpm")), 4U);
}

TEST_F(DirectoryStoreTest, NewFilesHaveThePermissionsOfTheUmask) {
  const mode_t before = ::umask(027);
  ASSERT_TRUE(store.put("d/a", "x", {}));
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(directory.path("d/a").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(DirectoryStoreTest, RemovingWhatIsAbsentSucceeds) {
  ASSERT_TRUE(store.put("d/a", "x", {}));
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(store.remove("d/a", {}));
  EXPECT_TRUE(store.remove("none/at/all", {}));
  EXPECT_TRUE(store.head("d/a").failed_with(ErrorKind::not_found));
  EXPECT_TRUE(fs::is_directory(directory.path("d")));
}

TEST_F(DirectoryStoreTest, WhatIsNoFileIsNoObject) {
  directory.write("d/a", "x");
  ASSERT_EQ(::mkfifo(directory.path("fifo").c_str(), 0600), 0);
  for (const char* key : {"d", "fifo", "d/a/b", "none", "none/b"}) {
    EXPECT_TRUE(store.head(key).failed_with(ErrorKind::not_found)) << key;
    EXPECT_TRUE(store.get(key, {}, 1).failed_with(ErrorKind::not_found)) << key;
    EXPECT_TRUE(store.open(key).failed_with(ErrorKind::not_found)) << key;
  }
  EXPECT_THAT(keys(), ElementsAre("d/a"));
  EXPECT_TRUE(store.put("d", "x", {}).failed_with(ErrorKind::invalid));
  EXPECT_TRUE(store.put("d/a/b", "x", {}).failed_with(ErrorKind::invalid));
}

TEST_F(DirectoryStoreTest, ListingIsInTheOrderOfWholeKeys) {
  for (const char* key : {"a/x", "a.rpm", "a0", "a/b/c", "a-", "B", "\xC3\xBC", "repodata/repomd.xml"})
    directory.write(key, "1");
  for (const char* hidden : {".hidden", ".d/a", "a/.repoupdate-1", "lost+found/x"}) directory.write(hidden, "1");
  fs::create_directory(directory.path("empty"));
  EXPECT_THAT(keys(), ElementsAre("B", "a-", "a.rpm", "a/b/c", "a/x", "a0", "repodata/repomd.xml", "\xC3\xBC"));
  EXPECT_THAT(keys("a"), ElementsAre("a-", "a.rpm", "a/b/c", "a/x", "a0"));
  EXPECT_THAT(keys("a/"), ElementsAre("a/b/c", "a/x"));
  EXPECT_THAT(keys("a/b"), ElementsAre("a/b/c"));
  EXPECT_THAT(keys("none/"), IsEmpty());
}

TEST_F(DirectoryStoreTest, PagesContinueWhereTheLastOneEnded) {
  std::vector<std::string> expected;
  for (int i = 0; i < 23'000; ++i) {
    expected.push_back("d" + std::to_string(i % 7) + (i % 2 == 0 ? "/" : ".") + std::to_string(i));
    directory.write(expected.back(), "1");
  }
  std::sort(expected.begin(), expected.end());
  std::vector<std::string> found;
  std::vector<std::size_t> sizes;
  std::string next;
  do {
    const auto page = store.list("", next);
    ASSERT_TRUE(page);
    for (const auto& object : page->objects) found.push_back(object.key);
    sizes.push_back(page->objects.size());
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(found, expected);
  EXPECT_THAT(sizes, ElementsAre(10'000U, 10'000U, 3'000U));
}

TEST_F(DirectoryStoreTest, LinksAreListedAndALoopEnds) {
  const ScratchDirectory elsewhere;
  elsewhere.write("pool/a.rpm", "1");
  directory.write("d/b.rpm", "1");
  fs::create_directory_symlink(elsewhere.path("pool"), directory.path("pool"));
  fs::create_symlink(elsewhere.path("pool/a.rpm"), directory.path("linked.rpm"));
  fs::create_directory_symlink(directory.path(), directory.path("d/loop"));
  EXPECT_THAT(keys(), ElementsAre("d/b.rpm", "linked.rpm", "pool/a.rpm"));
}

// I14: nothing looks removed because it could not be read.
TEST_F(DirectoryStoreTest, AMissingDirectoryProvesNothingAboutItsObjects) {
  DirectoryStore missing{directory.path("unmounted")};
  directory.write("file", "1");
  DirectoryStore no_directory{directory.path("file")};
  for (DirectoryStore* gone : {&missing, &no_directory}) {
    EXPECT_TRUE(gone->head("a").failed_with(ErrorKind::no_store));
    EXPECT_TRUE(gone->get("d/a", {}, 1).failed_with(ErrorKind::no_store));
    EXPECT_TRUE(gone->open("d/a").failed_with(ErrorKind::no_store));
    EXPECT_TRUE(gone->list("", "").failed_with(ErrorKind::no_store));
    EXPECT_TRUE(gone->put("a", "1", {}).failed_with(ErrorKind::no_store));
    EXPECT_TRUE(gone->remove("a", {}).failed_with(ErrorKind::no_store));
    EXPECT_THAT(gone->head("a").error().message, HasSubstr("does not exist"));
  }
  ASSERT_TRUE(missing.create_root());
  EXPECT_TRUE(missing.put("a", "1", {}));
}

TEST_F(DirectoryStoreTest, ALinkThatLeadsNowhereProvesNothingEither) {
  fs::create_symlink(directory.path("unmounted"), directory.path("pool"));
  fs::create_symlink(directory.path("unmounted/a.rpm"), directory.path("a.rpm"));
  for (const char* key : {"a.rpm", "pool/a.rpm"}) {
    EXPECT_TRUE(store.head(key).failed_with(ErrorKind::unavailable)) << key;
    EXPECT_TRUE(store.get(key, {}, 1).failed_with(ErrorKind::unavailable)) << key;
  }
  EXPECT_TRUE(store.list("", "").failed_with(ErrorKind::unavailable));
  EXPECT_TRUE(store.list("other/", "")) << "what the link hides is not asked for";
  EXPECT_TRUE(store.remove("pool/a.rpm", {}).failed_with(ErrorKind::unavailable));
}

TEST_F(DirectoryStoreTest, WhatMayNotBeReadOrWrittenIsDenied) {
  directory.write("secret/a", "1");
  fs::permissions(directory.path("secret"), fs::perms::none);
  // Only this thread becomes somebody who owns nothing here; does nothing unless the test runs as root.
  const auto user = static_cast<uid_t>(::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid()));
  const auto outcomes = {store.head("secret/a").failed_with(ErrorKind::denied),
                         store.get("secret/a", {}, 1).failed_with(ErrorKind::denied),
                         store.list("", "").failed_with(ErrorKind::denied),
                         store.put("secret/b", "1", {}).failed_with(ErrorKind::denied)};
  ::setfsuid(user);
  fs::permissions(directory.path("secret"), fs::perms::owner_all);
  EXPECT_THAT(outcomes, ElementsAre(true, true, true, true));
}

}  // namespace
}  // namespace repoupdate
