// SPDX-License-Identifier: Apache-2.0
#include "sync/publisher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/metadata_kind.hpp"
#include "sync/sample_update.hpp"

namespace repoupdate {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PublisherTest : public UpdateTest {
protected:
  PublisherTest() {
    place("a.rpm", "a");
    run(keys({"a.rpm"}));
  }
  // The file of that kind which repomd.xml names.
  std::string key_of(std::string_view kind) {
    const auto contents = store.contents();
    const std::string& repomd = contents.at("r/repodata/repomd.xml").bytes;
    const std::string end = '-' + std::string(kind) + ".xml.gz";
    for (const auto& [key, stored] : contents)
      if (key.ends_with(end) && repomd.find(key.substr(2)) != std::string::npos) return key;
    ADD_FAILURE() << "no " << kind;
    return {};
  }
  UpdateReport rebuild() {
    UpdateRequest request;
    request.rebuild = true;
    return run(request);
  }
};

std::string with_other_bytes(std::string bytes) {
  for (char& byte : bytes) byte = static_cast<char>(byte ^ 0x55);
  return bytes;
}

TEST_F(PublisherTest, DamagedFileIsPutAgain) {
  for (const bool is_local : {false, true}) {
    if (is_local) store.set_local();
    for (const auto& about : k_metadata_kinds) {
      const std::string key = key_of(about.name);
      const std::string sound = store.contents().at(key).bytes;
      for (const std::string& damaged : {with_other_bytes(sound), sound.substr(1), sound + 'x', std::string()}) {
        const ETag etag = store.place(key, damaged, k_uploaded, !is_local);
        EXPECT_THAT(rebuild().repaired, ElementsAre(key.substr(2)));
        const auto stored = store.contents().at(key);
        EXPECT_EQ(stored.bytes, sound);
        EXPECT_EQ(stored.options.if_match, etag);
        expect_sound();
        EXPECT_THAT(rebuild().repaired, IsEmpty());
      }
    }
  }
}

TEST_F(PublisherTest, DamagedFileIsPutAgainWithoutARebuildToo) {
  place("b.rpm", "b");
  std::string damaged;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request.starts_with("PUT") && request.ends_with("-other.xml.gz") && damaged.empty()) {
      damaged = request.substr(4);
      store.place(damaged, "other bytes", k_uploaded);
    }
    return {};
  };
  const auto report = run(keys({"b.rpm"}));
  EXPECT_THAT(report.repaired, ElementsAre(damaged.substr(2)));
  EXPECT_EQ(report.lost_races, 0);
  expect_sound();
}

// What a reader or a cache has got hold of meanwhile stays the object that it is.
TEST_F(PublisherTest, FileThatSomebodyElseHasPutRightIsLeftAlone) {
  const std::string key = key_of("primary");
  const std::string sound = store.contents().at(key).bytes;
  store.place(key, "other bytes", k_uploaded);
  int puts_of_it = 0;
  ETag etag;
  store.before = [&](const std::string& request) -> Result<void> {
    if (request == "PUT " + key && ++puts_of_it == 2) etag = store.place(key, sound, k_uploaded);
    return {};
  };
  const auto report = rebuild();
  EXPECT_THAT(report.repaired, IsEmpty());
  EXPECT_EQ(report.lost_races, 1);
  EXPECT_EQ(store.contents().at(key).etag, etag);
  expect_sound();
}

}  // namespace
}  // namespace repoupdate
