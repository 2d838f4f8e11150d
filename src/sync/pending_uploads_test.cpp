// SPDX-License-Identifier: Apache-2.0
#include "sync/pending_uploads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testkit/fake_clock.hpp"
#include "testkit/memory_object_store.hpp"

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PendingUploadsTest : public testing::Test {
protected:
  std::vector<std::string> found() {
    std::vector<std::string> keys;
    const auto uploads = find_pending_uploads(repository);
    EXPECT_TRUE(uploads.ok());
    if (uploads)
      for (const auto& upload : *uploads) keys.push_back(upload.key + '#' + upload.id);
    return keys;
  }

  MemoryObjectStore store;
  Repository repository{.name = "s3://b/r",
                        .store = &store,
                        .scratch = nullptr,
                        .memory = nullptr,
                        .prefix = "r/",
                        .policy = {},
                        .nested = {"inner/"}};
};

TEST_F(PendingUploadsTest, AreThoseOfThisRepository) {
  for (const char* key : {"r/a.rpm", "r/inner/b.rpm", "r2/c.rpm", "r/repodata/primary.xml.gz"})
    store.begin_upload({key, "1", {}});
  store.begin_upload({"r/a.rpm", "2", {}});
  EXPECT_THAT(found(), ElementsAre("a.rpm#1", "a.rpm#2", "repodata/primary.xml.gz#1"));
}

TEST_F(PendingUploadsTest, ComeFromAllPages) {
  for (int i = 0; i < 2500; ++i) store.begin_upload({"r/a.rpm", std::to_string(10'000 + i), {}});
  EXPECT_EQ(found().size(), 2500u);
}

TEST_F(PendingUploadsTest, AreDroppedOneByOne) {
  store.begin_upload({"r/a.rpm", "1", {}});
  store.begin_upload({"r/a.rpm", "2", {}});
  ASSERT_TRUE(drop_pending_upload(repository, {"a.rpm", "1", {}}).ok());
  ASSERT_TRUE(drop_pending_upload(repository, {"a.rpm", "1", {}}).ok()) << "ended already";
  EXPECT_THAT(found(), ElementsAre("a.rpm#2"));
}

TEST_F(PendingUploadsTest, MayBeUnderWayForADay) {
  const SystemTime begun(std::chrono::seconds(1'800'000'000));
  EXPECT_FALSE(is_abandoned({"k", "1", begun}, begun + std::chrono::hours(24)));
  EXPECT_TRUE(is_abandoned({"k", "1", begun}, begun + std::chrono::hours(24) + std::chrono::seconds(1)));
  EXPECT_FALSE(is_abandoned({"k", "1", begun}, begun - std::chrono::hours(1))) << "its clock is ahead of ours";
}

TEST_F(PendingUploadsTest, FailureToListIsNotNone) {
  store.before = [](const std::string&) { return Result<void>(Error{ErrorKind::denied, "no", {}}); };
  EXPECT_TRUE(find_pending_uploads(repository).failed_with(ErrorKind::denied));
}

}  // namespace
}  // namespace repoupdate
